import { Command } from 'commander'
import { UsageError } from '../exit-codes.ts'
import { TOKEN_HELP } from '../stomp/token-source.ts'
import { ProgressLine } from '../terminal/progress.ts'
import { StopSignals } from '../terminal/stop-signals.ts'
import { verifyDeployment } from '../verify/verify-deployment.ts'
import { VERIFY_DEFAULTS as D } from '../verify/verify-options.ts'
import { reportText } from '../verify/verify-report.ts'
import { addClientFlags, type ClientFlags, clientOptions } from './client-flags.ts'
import { roomId, timeOption, wholeNumber } from './options.ts'

const HELP = `
${TOKEN_HELP}

Ends with
  0  of what was acknowledged nothing is missing, doubled or out of order, for any reader and in any node's history
  1  something is; the report says what, and where
  2  the command line is wrong
  3  no node could be reached, or the server refuses the token, or does not speak this protocol
  4  nothing wrong was seen, but a node's history could not be read, or nothing was acknowledged
  130 or 143  stopped by Ctrl-C or SIGTERM, and nothing wrong was seen in what was written until then: it is judged and
     reported as at any other end, within --give-up, --settle and --history; a second signal ends it at once

Examples
  $ pnpm verify
  $ pnpm verify --nodes http://a:8031,http://b:8032,http://c:8033 --duration 2m --rate 200 --writers 10 --readers 30
  $ pnpm verify --chats 1000 --rate 0 --transport xhr-streaming --json
`

interface Given extends ClientFlags {
  readonly writers: number
  readonly readers: number
  readonly rooms: number
  readonly firstRoom: number
  readonly duration: number
  readonly chats?: number
  readonly rate: number
  readonly inFlight: number
  readonly bytes: number
  readonly giveUp: number
  readonly settle: number
  readonly history: number
  readonly nodesMayBeGone?: true
  readonly json?: true
}

export function verifyCommand(): Command {
  const command = new Command('verify').description(
    'write and read through a deployment, and judge: nothing lost, nothing doubled, one order',
  )
  return addClientFlags(command)
    .option('--writers <n>', 'clients that write', wholeNumber(1), D.writers)
    .option('--readers <n>', 'clients that read', wholeNumber(1), D.readers)
    .option('--rooms <n>', 'rooms that they are dealt out over', wholeNumber(1), D.rooms)
    .option('--first-room <id>', 'the first of these rooms; the others follow it', roomId, D.firstRoom)
    .addOption(timeOption('--duration', 'how long to write', D.durationMs))
    .option('--chats <n>', 'how many chats to write at most', wholeNumber(1))
    .option(
      '--rate <n>',
      'chats a second of all writers; 0: as fast as they are answered',
      wholeNumber(0),
      D.rate,
    )
    .option('--in-flight <n>', 'chats of a writer without an answer', wholeNumber(1), D.inFlight)
    .option('--bytes <n>', "bytes of a chat's content", wholeNumber(1), D.contentBytes)
    .addOption(timeOption('--give-up', 'how long a chat is tried again', D.giveUpMs))
    .addOption(timeOption('--settle', 'how long readers may take in the end', D.settleMs))
    .addOption(timeOption('--history', 'how long the histories may take after that', D.historyMs))
    .option('--json', 'print the whole report as JSON')
    .addHelpText('after', HELP)
    .action(run)
}

async function run(given: Given): Promise<void> {
  if (given.rooms > Math.min(given.writers, given.readers))
    throw new UsageError('--rooms must not be more than --writers or --readers: each room needs one of both')
  const progress = new ProgressLine()
  const stop = new StopSignals(progress)
  const report = await verifyDeployment(
    {
      ...(await clientOptions(given)),
      writers: given.writers,
      readers: given.readers,
      rooms: Array.from({ length: given.rooms }, (_, index) => given.firstRoom + index),
      durationMs: given.duration,
      chats: given.chats ?? Number.POSITIVE_INFINITY,
      rate: given.rate,
      inFlight: given.inFlight,
      contentBytes: given.bytes,
      giveUpMs: given.giveUp,
      settleMs: given.settle,
      historyMs: given.history,
      nodesMayBeGone: given.nodesMayBeGone ?? false,
    },
    ({ phase, share, written, delivered, defects }) =>
      progress.showShare(share, `${phase}: ${written} written, ${delivered} delivered, ${defects} defects`),
    stop.enough,
  ).finally(() => progress.clear())
  console.log(given.json ? JSON.stringify(report, null, 2) : reportText(report))
  const isWrong = report.verdict === 'wrong'
  process.exitCode = isWrong ? report.exitCode : (stop.exitCode ?? report.exitCode)
}
