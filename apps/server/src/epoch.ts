import { join } from 'node:path'
import { ChatError } from '@sgs-chat/core'
import { bumpEpoch } from '@sgs-chat/sqlite'
import { ConfigError, loadConfig } from './config.ts'

const USAGE = `Usage: pnpm epoch bump

Begins a new epoch at the end of the log, with the server stopped. Do this after the data
was put back from a backup: positions that clients still hold are then answered with
"recovered: false, reason: epoch" instead of being taken for positions of other chats.
`

const EXIT_FAILED = 1
const EXIT_USAGE = 2

const args = process.argv.slice(2).filter(arg => arg !== '--')
if (args.includes('--help') || args.includes('-h')) console.log(USAGE)
else if (args.length !== 1 || args[0] !== 'bump') {
  console.error(USAGE)
  process.exitCode = EXIT_USAGE
} else bump()

function bump(): void {
  try {
    const { epoch, firstSeq } = bumpEpoch(join(loadConfig().config.DATA_DIR, 'chat.sqlite'))
    console.log(`positions are ${epoch}:${firstSeq} from here on`)
  } catch (error) {
    if (!(error instanceof ConfigError || ChatError.is(error))) throw error
    console.error(error instanceof ConfigError ? error.problems.join('\n') : error.description)
    process.exitCode = EXIT_FAILED
  }
}
