import { parseArgs } from 'node:util'
import { ChatError } from '@sgs-chat/core'
import { type Config, ConfigError, loadConfig } from '../config.ts'
import { StartError } from '../start-error.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
/** As a shell reports a process that a signal ended. */
const EXIT_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const

/** Between two lines about how far it is. */
const TELL_MS = 1_000

/** An argument that cannot be taken. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What a migration gets from its command. */
export interface MigrationRun {
  readonly config: Config
  /** Counts what there is to do and writes nothing. */
  readonly dryRun: boolean
  /** Values of the command's own options, by name. */
  readonly values: Readonly<Record<string, string | undefined>>
  /** Aborted by SIGINT or SIGTERM: what was done stays, and running it again goes on. */
  readonly signal: AbortSignal
  /** How far it is, for a person; printed to stderr, at most one line a second. */
  readonly tell: (line: () => string) => void
}

export interface MigrationCommand {
  readonly usage: string
  /** Options with a value, beside --dry-run and --help. */
  readonly options?: readonly string[]
  /** @returns what was done, for stdout */
  readonly run: (run: MigrationRun) => Promise<string>
}

/**
 * Runs a command to its end: 0 done, 1 failed (and what to look at is on stderr), 2 arguments that are none, 130 and
 * 143 stopped by a signal.
 */
export async function runMigration({ usage, options = [], run }: MigrationCommand): Promise<void> {
  const stop = new AbortController()
  const stopped = (name: keyof typeof EXIT_SIGNAL) => (): void => {
    process.exitCode = EXIT_SIGNAL[name]
    stop.abort(new Error('stopped'))
  }
  process.once('SIGINT', stopped('SIGINT'))
  process.once('SIGTERM', stopped('SIGTERM'))
  try {
    const { help, 'dry-run': dryRun, ...values } = parsedArgs(options)
    if (help === true) {
      console.log(usage)
      return
    }
    const texts = values as Readonly<Record<string, string | undefined>>
    const { config, warnings } = loadConfig()
    for (const warning of warnings) console.error(warning)
    const rest = { values: texts, signal: stop.signal, tell: teller() }
    console.log(await run({ config, dryRun: dryRun === true, ...rest }))
  } catch (error) {
    if (stop.signal.aborted) {
      console.error('stopped; what was done stays, run it again to go on')
      return
    }
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
    console.error(problemOf(error))
    if (error instanceof UsageError) console.error(usage)
  }
}

function parsedArgs(options: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  try {
    return parseArgs({
      args: process.argv.slice(2).filter(arg => arg !== '--'),
      options: {
        'dry-run': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        ...Object.fromEntries(options.map(name => [name, { type: 'string' as const }])),
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function problemOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join('\n')
  if (ChatError.is(error)) return error.description
  if (error instanceof StartError || error instanceof UsageError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function teller(): MigrationRun['tell'] {
  let nextMs = 0
  return line => {
    const nowMs = Date.now()
    if (nowMs < nextMs) return
    nextMs = nowMs + TELL_MS
    console.error(line())
  }
}
