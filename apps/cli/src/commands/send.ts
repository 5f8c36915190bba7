import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { postChat, type Sending } from '../chat-http/post-chat.ts'
import { UsageError } from '../exit-codes.ts'
import { TOKEN_HELP } from '../stomp/token-source.ts'
import { ProgressLine } from '../terminal/progress.ts'
import { addClientFlags, type ClientFlags, clientOptions } from './client-flags.ts'
import { roomId } from './options.ts'

const HELP = `
Without a text and without --file the text is read from standard input.

${TOKEN_HELP}

Ends with
  0  the server has the chat
  1  the server refuses it
  2  the command line is wrong
  3  no node could be reached

Examples
  $ pnpm chat send 7 'hello, room 7' --user alice
  $ pnpm chat send 7 --file picture.png --type IMAGE
  $ git log -1 | pnpm chat send 7 --json
`

interface Given extends ClientFlags {
  readonly user: string
  readonly file?: string
  readonly type?: string
  readonly json?: true
}

export function sendCommand(): Command {
  const command = new Command('send')
    .description('send a chat, or a file, into a room')
    .argument('<room>', 'the room', roomId)
    .argument('[text]', 'what to say')
  return addClientFlags(command)
    .option('--user <id>', 'who says it', 'cli')
    .option('--file <path>', 'a file instead of a text')
    .option('--type <name>', 'messageType (default: TEXT, with --file FILE)')
    .option('--json', 'print the chat as JSON')
    .addHelpText('after', HELP)
    .action(run)
}

async function run(room: number, said: string | undefined, given: Given): Promise<void> {
  const { nodes, tokens, answerTimeoutMs } = await clientOptions(given)
  const sending = await sendingOf(said, given)
  const line = new ProgressLine()
  const posted = await postChat(sending, {
    nodes,
    answerTimeoutMs,
    token: await tokens(given.user),
    roomId: room,
    clientMessageId: randomUUID(),
    progress: (sent, total) => line.showShare(sent / Math.max(1, total), `of ${total} bytes`),
  }).finally(() => line.clear())
  const { chat, position } = posted
  if (given.json) console.log(JSON.stringify({ ...chat, ...(position === undefined ? {} : { position }) }))
  else console.log(sending.kind === 'file' ? chat.content : chat._id)
}

async function sendingOf(said: string | undefined, { file, type }: Given): Promise<Sending> {
  if (file !== undefined) {
    if (said !== undefined) throw new UsageError('a text and --file do not go together')
    return { kind: 'file', path: file, messageType: type ?? 'FILE' }
  }
  const content = said ?? (await text(process.stdin)).replace(/\r?\n$/, '')
  if (content === '') throw new UsageError('there is nothing to say')
  return { kind: 'text', content, messageType: type ?? 'TEXT' }
}
