import type { LogFields, Logger } from '@sgs-chat/core'

export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: LogFields
}

/** A Logger that keeps what it is told, for a test to look at. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly LogLine[]
  /** The messages of one level, in order. */
  messages(level: keyof Logger): readonly string[]
  clear(): void
}

export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = []
  const at =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields: { ...fields } })
    }
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    messages: level => lines.filter(line => line.level === level).map(line => line.message),
    clear: () => {
      lines.length = 0
    },
  }
}
