import type { Ids, SessionPresence } from '@sgs-chat/core'

let made = 0

/** Ids that only have to differ. */
export const plainIds: Ids = {
  next: () => `id-${made++}`,
  random: () => `random-${made++}`,
  hash: parts => parts.map(part => `${part.length}.${part}`).join('|'),
  mac: (secret, parts) => [secret, ...parts].map(part => `${part.length}.${part}`).join('|'),
}

const close = (): Promise<void> => Promise.resolve()

/** Presence for tests that have none. */
export const nowhere: SessionPresence = {
  isLeased: false,
  report: () => Promise.resolve(),
  renew: () => Promise.resolve('same'),
  snapshot: () => Promise.resolve(),
  whoIsIn: roomId => Promise.resolve({ roomId, users: [], version: 0, complete: true }),
  watch: () => ({ [Symbol.dispose]: () => undefined }),
  close,
  [Symbol.asyncDispose]: close,
}
