import type { LogFields, Logger } from '@sgs-chat/core'
import { type DestinationStream, destination, pino, stdSerializers } from 'pino'

/** Where a field of these names turns up by mistake, its value does not. */
const SECRET_FIELDS = ['token', 'secret', 'authorization', 'password', 'content', 'ticket']

/** The core's Logger on pino: lines of JSON for machines, plain lines for a terminal. Written to stderr at once. */
export function pinoLogger(level: string, stream: DestinationStream = terminalOrJson()): Logger {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { error: stdSerializers.errWithCause },
      redact: { paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map(field => `*.${field}`)], censor: '***' },
    },
    stream,
  )
  const at =
    (name: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      logger[name](fields, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const STDERR = 2

function terminalOrJson(): DestinationStream {
  const stderr = destination({ dest: STDERR, sync: true })
  return process.stderr.isTTY ? { write: line => stderr.write(readableLine(line)) } : stderr
}

/** `21:04:05 WARN message key=value`, the trace of an error below it. */
export function readableLine(line: string): string {
  const { time, level, msg, error, ...fields } = JSON.parse(line) as Record<string, unknown>
  const shown = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const trace = isTraced(error) ? `\n  ${error.stack.replaceAll('\n', '\n  ')}` : ''
  return `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${shown.join('')}${trace}\n`
}

function isTraced(error: unknown): error is { stack: string } {
  return typeof error === 'object' && error !== null && 'stack' in error && typeof error.stack === 'string'
}
