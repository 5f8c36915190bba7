import { type Config, ConfigError, helpText, loadConfig } from './config.ts'
import { pinoLogger } from './logger.ts'
import { createStateServer } from './state-server.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2

const args = process.argv.slice(2).filter(arg => arg !== '--')
if (args.includes('--help') || args.includes('-h')) {
  console.log(helpText())
} else if (args.length > 0) {
  console.error(`unknown option ${args[0]}; settings are given by environment variables, see --help`)
  process.exitCode = EXIT_USAGE
} else {
  const config = settings()
  if (config === undefined) process.exitCode = EXIT_FAILED
  else await serve(config)
}

/** Undefined: they cannot be served with, and every reason was printed. */
function settings(): Config | undefined {
  try {
    return loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(
      `sgs-chat-state cannot start: ${error.message}; see --help\n  ${error.problems.join('\n  ')}`,
    )
    return undefined
  }
}

async function serve(config: Config): Promise<void> {
  const logger = pinoLogger(config.LOG_LEVEL)
  const asked = new Promise<string>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve(signal))
  })
  const server = await orExit(createStateServer(config, logger))
  const where = { host: config.HOST, ...server.ports }
  if (server.waitsFor !== undefined) {
    logger.warn('listening, and waiting', { ...where, waitsFor: server.waitsFor })
  }
  const early = await orExit(Promise.race([server.whole, asked]))
  if (early === undefined) {
    logger.info('serving', { ...where, store: config.REDIS_URL === undefined ? 'memory' : 'redis' })
  }
  const signal = await asked
  logger.info('stopping', { signal, limitMs: config.STOP_TIMEOUT_MS })
  setTimeout(() => process.exit(EXIT_FAILED), config.STOP_TIMEOUT_MS).unref()
  await server.close()
  process.exit()
}

/** Ends the process with the reason when it is one that neither waiting nor trying again helps against. */
async function orExit<T>(starting: Promise<T>): Promise<T> {
  try {
    return await starting
  } catch (error) {
    console.error(`sgs-chat-state cannot start: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(EXIT_FAILED)
  }
}
