import type { LogFields, Logger } from '@sgs-chat/core'
import { destination, pino, stdSerializers } from 'pino'

const STDERR = 2

/** The core's Logger: lines of JSON on stderr, written at once. Nothing that is logged here holds a token. */
export function pinoLogger(level: string): Logger {
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.errWithCause },
    redact: { paths: ['token', '*.token'], censor: '***' },
  }
  const logger = pino(options, destination({ dest: STDERR, sync: true }))
  const at =
    (name: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      logger[name](fields, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
