import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A peer that a script plays: one line in, what the script says out, as Spring Integration does it. */
export class LinePeer implements AsyncDisposable {
  /** Every line that came, in order. */
  readonly lines: string[] = []
  /** Lines that came while one before on the same connection was not answered. */
  outOfTurn = 0
  accepted = 0
  private readonly server: Server
  private readonly sockets = new Set<Socket>()

  /** `answer` undefined: says nothing; 'close': ends the connection. */
  private constructor(answer: (line: string) => Promise<string | undefined> | string | undefined) {
    this.server = createServer(socket => {
      this.accepted += 1
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined)
      let text = ''
      let isBusy = false
      const take = async (chunk: Buffer): Promise<void> => {
        text += chunk.toString()
        for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n')) {
          const line = text.slice(0, end)
          text = text.slice(end + 2)
          if (isBusy) this.outOfTurn += 1
          isBusy = true
          this.lines.push(line)
          const says = await answer(line)
          isBusy = false
          if (says === 'close') socket.destroy()
          else if (says !== undefined) socket.write(`${says}\r\n`)
        }
      }
      socket.on('data', (chunk: Buffer) => void take(chunk))
    })
  }

  static async start(
    answer: (line: string) => Promise<string | undefined> | string | undefined,
  ): Promise<LinePeer> {
    const peer = new LinePeer(answer)
    peer.server.listen(0, '127.0.0.1')
    await once(peer.server, 'listening')
    return peer
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get open(): number {
    return this.sockets.size
  }

  /** Ends the open connections, as a restart does; new ones are taken. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    this.drop()
    await closed
  }
}

/** A client that knows only sockets and lines. */
export class LineClient implements AsyncDisposable {
  private readonly socket: Socket
  private text = ''
  private readonly waiting: (() => void)[] = []
  hasEnded = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      this.text += chunk.toString()
      this.wake()
    })
    socket.on('close', () => {
      this.hasEnded = true
      this.wake()
    })
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<LineClient> {
    const socket = connect({ port, host })
    await once(socket, 'connect')
    return new LineClient(socket)
  }

  write(text: string): void {
    this.socket.write(text)
  }

  /** Nothing is read from here on. */
  stopReading(): void {
    this.socket.pause()
  }

  /** Says that nothing more comes, and reads on. */
  halfClose(): void {
    this.socket.end()
  }

  /** The next line; undefined when the connection ends instead. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.text.indexOf('\r\n')
      if (end !== -1) {
        const line = this.text.slice(0, end)
        this.text = this.text.slice(end + 2)
        return line
      }
      if (this.hasEnded) return undefined
      await new Promise<void>(resolve => this.waiting.push(resolve))
    }
  }

  async ask(line: string): Promise<string | undefined> {
    this.write(`${line}\r\n`)
    return this.line()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }
}
