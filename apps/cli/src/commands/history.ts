import { Command, InvalidArgumentError } from 'commander'
import { PageError, readPage } from '../chat-http/read-pages.ts'
import { type Position, positionIn, positionText } from '../position.ts'
import type { ClientOptions } from '../stomp/client-options.ts'
import { NobodyThereError } from '../stomp/stomp-connection.ts'
import { TOKEN_HELP } from '../stomp/token-source.ts'
import { chatLine } from '../terminal/chat-line.ts'
import { ProgressLine } from '../terminal/progress.ts'
import { addClientFlags, type ClientFlags, clientOptions } from './client-flags.ts'
import { roomId, wholeNumber } from './options.ts'

const HELP = `
Newest first. With --json each line is a chat with its position; the last one's position is the next --before.

${TOKEN_HELP}

Ends with
  0  everything that was asked for was read
  1  the server refuses it, or breaks off
  2  the command line is wrong
  3  no node could be reached

Examples
  $ pnpm chat history 7
  $ pnpm chat history 7 --all --json > room-7.ndjson
  $ pnpm chat history 7 --before 1:4711 --limit 200
`

interface Given extends ClientFlags {
  readonly user: string
  readonly limit: number
  readonly before?: Position
  readonly all?: true
  readonly json?: true
}

const PAGE_CHATS = 200

export function historyCommand(): Command {
  const command = new Command('history')
    .description("print a room's past")
    .argument('<room>', 'the room', roomId)
  return addClientFlags(command)
    .option('--user <id>', 'who reads it', 'cli')
    .option('--limit <n>', 'how many chats', wholeNumber(1), 50)
    .option('--before <epoch:seq>', 'only chats below this position', position)
    .option('--all', 'the whole room, page by page')
    .option('--json', 'print one chat a line as JSON')
    .addHelpText('after', HELP)
    .action(run)
}

export function position(text: string): Position {
  const given = positionIn(text)
  if (given === undefined) throw new InvalidArgumentError('must be a position such as 1:4711.')
  return given
}

async function run(room: number, given: Given): Promise<void> {
  const options = await clientOptions(given)
  const token = await options.tokens(given.user)
  const line = new ProgressLine()
  let left = given.all ? Number.POSITIVE_INFINITY : given.limit
  let before = given.before
  let printed = 0
  while (left > 0) {
    const page = await readAnywhere(options, {
      token,
      roomId: room,
      side: before === undefined ? 'latest' : { before },
      limit: Math.min(left, PAGE_CHATS),
    })
    for (const chat of page.chats) {
      console.log(
        given.json ? JSON.stringify({ ...chat, position: positionText(chat.position) }) : chatLine(chat),
      )
    }
    printed += page.chats.length
    left -= page.chats.length
    before = page.chats.at(-1)?.position
    if (!page.hasMore || before === undefined) break
    line.show(`${printed} chats`)
  }
  line.clear()
}

type Query = Omit<Parameters<typeof readPage>[0], 'node' | 'timeoutMs'>

/** Of the first node that answers. @throws NobodyThereError | PageError */
export async function readAnywhere(
  { nodes, answerTimeoutMs }: ClientOptions,
  query: Query,
): ReturnType<typeof readPage> {
  for (const node of nodes) {
    try {
      return await readPage({ ...query, node, timeoutMs: answerTimeoutMs })
    } catch (error) {
      if (!(error instanceof PageError) || error.code !== undefined) throw error
    }
  }
  throw new NobodyThereError(nodes)
}
