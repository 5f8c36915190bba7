/**
 * Where the core says what an operator may want to know. Never given: tokens, secrets, contents of chats, session
 * ids. `fields` are plain data; an `Error` goes under the key `error`. A logger never throws.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export interface LogFields {
  readonly [key: string]: string | number | boolean | null | undefined | Error
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
