import type { IMessage } from '@stomp/stompjs'
import { Command } from 'commander'
import { RefusedError } from '../chat-http/post-chat.ts'
import { isAbove, type Position, positionIn, positionText } from '../position.ts'
import { NodeChooser, pause } from '../stomp/node-chooser.ts'
import { TOKEN_HELP } from '../stomp/token-source.ts'
import { chatLine, type ShownChat } from '../terminal/chat-line.ts'
import { ProgressLine } from '../terminal/progress.ts'
import { addClientFlags, type ClientFlags, clientOptions } from './client-flags.ts'
import { position, readAnywhere } from './history.ts'
import { roomId, wholeNumber } from './options.ts'

const HELP = `
A connection that is lost is made again, to the next node, from the last chat that was printed: nothing is left out and
nothing comes twice. Where the server cannot give what was missed it is said on standard error.

${TOKEN_HELP}

Ends with
  0  after --count chats, or by Ctrl-C
  1  the server refuses the room
  2  the command line is wrong
  3  the server refuses the token, or no node could be asked for one

Examples
  $ pnpm chat tail 7 --last 10
  $ pnpm chat tail 7 --nodes http://a:8031,http://b:8032 --json | jq .content
  $ pnpm chat tail 7 --since 1:4711 --count 1
`

interface Given extends ClientFlags {
  readonly user: string
  readonly since?: Position
  readonly last: number
  readonly count?: number
  readonly json?: true
}

const RETRY_MS = 500

export function tailCommand(): Command {
  const command = new Command('tail')
    .description('print the chats of a room as they come')
    .argument('<room>', 'the room', roomId)
  return addClientFlags(command)
    .option('--user <id>', 'who listens', 'cli')
    .option('--last <n>', 'print so many of the newest chats first', wholeNumber(0), 0)
    .option('--since <epoch:seq>', 'print everything above this position first', position)
    .option('--count <n>', 'end after so many chats', wholeNumber(1))
    .option('--json', 'print one chat a line as JSON')
    .addHelpText('after', HELP)
    .action(run)
}

async function run(room: number, given: Given): Promise<void> {
  const options = await clientOptions(given)
  const over = new AbortController()
  process.once('SIGINT', () => over.abort())
  const line = new ProgressLine()
  const printer = new Printer(given, over, line)
  if (given.last > 0 && given.since === undefined) {
    const token = await options.tokens(given.user)
    const { chats } = await readAnywhere(options, { token, roomId: room, side: 'latest', limit: given.last })
    for (const chat of chats.toReversed()) printer.print(chat, chat.position)
  }
  const nodes = new NodeChooser(options, given.user, 0)
  while (!over.signal.aborted) {
    line.show(`connecting to ${options.nodes.join(', ')} …`)
    const connection = await nodes.connect(over.signal).finally(() => line.clear())
    if (connection === undefined) return
    over.signal.addEventListener('abort', () => void connection.close(), { once: true })
    const since = printer.last
    const answer = await connection.subscribe(
      `/topic/${room}`,
      since === undefined ? {} : { since: positionText(since) },
      message => printer.take(message),
    )
    if (answer.kind === 'acknowledged') {
      const { headers } = answer
      if (headers.recovered === 'false') {
        console.error(
          `what came after ${printed(since)} cannot be given (${headers.reason}): see chat history ${room}`,
        )
      }
      printer.startAt(positionIn(`${headers.epoch}:${headers['head-seq']}`), headers.recovered)
      if (!printer.hasPrinted) line.show(`room ${room} at ${nodes.node}: nothing new yet (Ctrl-C ends)`)
      await connection.ended
      line.clear()
    } else if (answer.kind === 'refused' && !answer.retryable) {
      await connection.close()
      throw new RefusedError(answer.code, answer.description)
    } else {
      await connection.close()
      await pause(RETRY_MS, over.signal)
    }
  }
}

function printed(since: Position | undefined): string {
  return since === undefined ? 'the beginning' : positionText(since)
}

/** Prints, and knows where to go on. */
class Printer {
  last: Position | undefined
  readonly #json: boolean
  readonly #over: AbortController
  readonly #line: ProgressLine
  #left: number
  hasPrinted = false

  constructor(
    { json, since, count = Number.POSITIVE_INFINITY }: Given,
    over: AbortController,
    line: ProgressLine,
  ) {
    this.#line = line
    this.last = since
    this.#json = json ?? false
    this.#over = over
    this.#left = count
  }

  /** Live begins there when nothing was asked for, or could not be given. */
  startAt(head: Position | undefined, recovered: string | undefined): void {
    if (head !== undefined && recovered !== 'true') this.last = head
  }

  take({ body, headers }: IMessage): void {
    const position = positionIn(headers.position)
    if (position !== undefined) this.print(JSON.parse(body) as ShownChat, position)
  }

  print(chat: ShownChat, position: Position): void {
    if (this.#left <= 0) return
    if (this.last !== undefined && !isAbove(position, this.last)) return
    this.last = position
    this.#left -= 1
    this.#line.clear()
    this.hasPrinted = true
    console.log(this.#json ? JSON.stringify({ ...chat, position: positionText(position) }) : chatLine(chat))
    if (this.#left === 0) this.#over.abort()
  }
}
