import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface CliOutcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A signal that the command gets once `when` has resolved. */
export interface Interruption {
  readonly signal: NodeJS.Signals
  readonly when: () => Promise<unknown>
}

/** The command as a shell runs it. */
export async function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  interruption?: Interruption,
): Promise<CliOutcome> {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, ['--conditions=@sgs-chat/source', MAIN, ...args], {
    env: { PATH, TZ: 'UTC', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  if (interruption !== undefined) {
    await interruption.when()
    child.kill(interruption.signal)
  }
  const [[code], out, err] = await ended
  return { code: code as number | null, out, err }
}
