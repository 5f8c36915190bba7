import type { Logger } from '@sgs-chat/core'
import { isFirstStart, printBanner } from './banner.ts'
import { type Config, ConfigError, helpText, type LoadedConfig, loadConfig } from './config.ts'
import { pinoLogger } from './logger.ts'
import { type ChatServer, createServer, override } from './server.ts'
import { T } from './tokens.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
/** As a shell reports a process that a signal ended. */
const EXIT_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const

type Signal = keyof typeof EXIT_SIGNAL

const args = process.argv.slice(2).filter(arg => arg !== '--')
if (args.includes('--help') || args.includes('-h')) {
  console.log(helpText())
} else if (args.length > 0) {
  console.error(`unknown option ${args[0]}; settings are given by environment variables, see --help`)
  process.exitCode = EXIT_USAGE
} else {
  const loaded = settings()
  if (loaded === undefined) process.exitCode = EXIT_FAILED
  else await serve(loaded)
}

/** Undefined: they cannot be served with, and every reason was printed. */
function settings(): LoadedConfig | undefined {
  try {
    return loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`sgs-chat cannot start: ${error.message}; see --help\n  ${error.problems.join('\n  ')}`)
    return undefined
  }
}

async function serve({ config, warnings }: LoadedConfig): Promise<void> {
  const logger = pinoLogger(config.LOG_LEVEL)
  for (const warning of warnings) logger.warn(warning)
  process.on('uncaughtException', error => {
    logger.error('unexpected error: the process ends', { error })
    process.exit(EXIT_FAILED)
  })
  // Signals count from here on, so that one that comes during the start stops what was started.
  const stopping = new AbortController()
  const asked = firstSignal(logger).then(signal => {
    logger.info('stopping', { signal, limitMs: config.STOP_TIMEOUT_MS })
    cutOffAfter(config.STOP_TIMEOUT_MS, logger)
    stopping.abort()
  })
  const isFirst = isFirstStart(config)
  const server = await start(config, logger, stopping.signal)
  if (server !== undefined) {
    logger.info('serving', {
      url: server.address.publicUrl,
      host: server.address.host,
      port: server.address.port,
      ...(server.metricsPort === undefined ? {} : { metricsPort: server.metricsPort }),
    })
    printBanner(config, server, isFirst)
    await asked
    await server.close()
  }
  logger.info('stopped')
  process.exit()
}

/** Undefined: it was asked to stop before it served, and has stopped. */
async function start(config: Config, logger: Logger, signal: AbortSignal): Promise<ChatServer | undefined> {
  try {
    return await createServer(config, [override(T.Logger, logger)], { signal })
  } catch (error) {
    if (signal.aborted) return undefined
    console.error(`sgs-chat cannot start: ${error instanceof Error ? error.message : String(error)}`)
    logger.debug('the start failed', { error: error as Error })
    process.exit(EXIT_FAILED)
  }
}

function cutOffAfter(limitMs: number, logger: Logger): void {
  setTimeout(() => {
    logger.error('the stop took too long; the process ends now', { limitMs })
    process.exit(EXIT_FAILED)
  }, limitMs).unref()
}

/** Resolves with the first signal; the second one ends the process at once. */
function firstSignal(logger: Logger): Promise<Signal> {
  return new Promise(resolve => {
    let count = 0
    for (const signal of Object.keys(EXIT_SIGNAL) as Signal[]) {
      process.on(signal, () => {
        count += 1
        if (count === 1) {
          resolve(signal)
          return
        }
        logger.warn('second signal: the process ends at once', { signal })
        process.exit(EXIT_SIGNAL[signal])
      })
    }
  })
}
