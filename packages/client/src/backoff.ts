import type { ClientSettings } from './options.ts'

const MAX_DOUBLINGS = 30

/** How long to wait after so many failures in a row: doubled each time, drawn from the upper half so that clients spread. */
export function backoffMs(
  failures: number,
  {
    reconnectMinMs,
    reconnectMaxMs,
    random,
  }: Pick<ClientSettings, 'reconnectMinMs' | 'reconnectMaxMs' | 'random'>,
): number {
  const fullMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(failures, MAX_DOUBLINGS))
  return Math.round(fullMs * (0.5 + random() / 2))
}
