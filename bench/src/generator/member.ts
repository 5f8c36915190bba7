import type { Dialect, MemberIdentity } from './dialect.ts'
import { type FrameListener, RawWebSocket } from './raw-web-socket.ts'

/** Who hears what a member gets. The bytes are only good during the call. */
export interface MemberListener {
  delivery(buffer: Buffer, start: number, end: number): void
  readEnd(): void
  failed(reason: string): void
}

export interface MemberOptions {
  readonly identity: MemberIdentity
  readonly dialect: Dialect
  readonly port: number
  readonly localAddress?: string
}

const HOST = '127.0.0.1'

/** One client of a room. */
export class Member implements FrameListener {
  readonly identity: MemberIdentity
  readonly #dialect: Dialect
  readonly #socket: RawWebSocket
  readonly #listener: MemberListener
  #hasJoined = false
  #joining: { resolve(): void; reject(error: Error): void } | undefined

  constructor({ identity, dialect, port, localAddress }: MemberOptions, listener: MemberListener) {
    this.identity = identity
    this.#dialect = dialect
    this.#listener = listener
    const { path, subprotocol } = dialect
    const options = {
      host: HOST,
      port,
      path,
      ...(subprotocol === undefined ? {} : { subprotocol }),
      ...(localAddress === undefined ? {} : { localAddress }),
    }
    this.#socket = new RawWebSocket(options, this)
  }

  /** Connects and subscribes; resolves when the server has said that the subscription stands. */
  async join(): Promise<void> {
    const joined = new Promise<void>((resolve, reject) => {
      this.#joining = { resolve, reject }
    })
    // A server that speaks first may refuse before the next line is reached.
    joined.catch(() => undefined)
    await this.#socket.open()
    const opening = this.#dialect.opening(this.identity)
    if (opening !== undefined) this.#socket.send(opening)
    await joined
  }

  get hasJoined(): boolean {
    return this.#hasJoined
  }

  queue(text: string): void {
    this.#socket.queue(text)
  }

  flush(): void {
    this.#socket.flush()
  }

  leave(): void {
    this.#socket.destroy()
  }

  text(buffer: Buffer, start: number, end: number): void {
    if (this.#hasJoined && buffer[start] === this.#dialect.deliveryByte) {
      this.#listener.delivery(buffer, start, end)
      return
    }
    const reaction = this.#dialect.react(buffer.toString('utf8', start, end), this.identity)
    switch (reaction.kind) {
      case 'joined':
        this.#hasJoined = true
        this.#joining?.resolve()
        this.#joining = undefined
        return
      case 'reply':
        this.#socket.send(reaction.text)
        return
      case 'refused':
        this.closed(`refused: ${reaction.reason}`)
        return
      case 'ignore':
        return
    }
  }

  readEnd(): void {
    if (this.#hasJoined) this.#listener.readEnd()
  }

  closed(reason: string): void {
    const joining = this.#joining
    this.#joining = undefined
    if (joining !== undefined) joining.reject(new Error(reason))
    else this.#listener.failed(reason)
  }
}

/** Lets all members join, so many at a time. */
export async function joinAll(members: readonly Member[], atOnce: number): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    for (let member = members[next++]; member !== undefined; member = members[next++]) await member.join()
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}
