/** What the process ends with; every command's `--help` names those it has. */
export const EXIT = {
  ok: 0,
  /** The thing that was asked for failed, or a promise was broken. */
  failed: 1,
  /** The command line, or a setting, is wrong. */
  usage: 2,
  /** No server could be reached, or it refused the token: nothing was found out. */
  unreachable: 3,
  /** What could be judged is right, but not everything could be judged. */
  incomplete: 4,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A wrong option or setting, told without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
