import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { BrokerAddress } from '@sgs-chat/kafka'

/** Kinds of requests (https://kafka.apache.org/protocol#protocol_api_keys). */
export const API = { produce: 0, offsetCommit: 8, joinGroup: 11, heartbeat: 12, syncGroup: 14 } as const

/** What becomes of one produce request: its answer is passed, or the connection is cut before it or in its middle. */
export type Verdict = 'pass' | 'cut-answer' | 'cut-mid-answer'

/**
 * Stands between a log and one broker, told by `route`. It can cut everything, and it can let a produce request reach
 * the broker and cut the connection where its answer would come.
 */
export class BrokerProxy implements AsyncDisposable {
  readonly #server: Server = createServer(socket => this.#link(socket))
  readonly #target: BrokerAddress
  readonly #sockets = new Set<Socket>()
  #isCut = false
  /** Asked at each produce request. */
  judge: () => Verdict = () => 'pass'
  /** Asked at each request of these kinds, for the group's members. */
  judgeGroup: (apiKey: number) => Verdict = () => 'pass'
  /** Produce requests that the broker was given. */
  produced = 0

  private constructor(target: BrokerAddress) {
    this.#target = target
  }

  static async open(brokers: string): Promise<BrokerProxy> {
    const [host = '', port] = brokers.split(':')
    const proxy = new BrokerProxy({ host, port: Number(port) })
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  readonly route = (advertised: BrokerAddress): BrokerAddress => {
    if (advertised.port !== this.#target.port) return advertised
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
  }

  /** Cuts every connection, and refuses new ones. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  restore(): void {
    this.#isCut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #verdictOf(apiKey: number): Verdict {
    if (apiKey !== API.produce) return this.judgeGroup(apiKey)
    this.produced += 1
    return this.judge()
  }

  #link(client: Socket): void {
    if (this.#isCut) {
      client.resetAndDestroy()
      return
    }
    const broker = connect(this.#target)
    const ends = [client, broker]
    for (const socket of ends) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        for (const end of ends) end.destroy()
      })
    }
    /** By correlation id: produce requests whose answers do not arrive. */
    const doomed = new Map<number, Verdict>()
    const requests = new Frames(frame => {
      const verdict = this.#verdictOf(frame.readInt16BE(4))
      if (verdict !== 'pass') doomed.set(frame.readInt32BE(8), verdict)
    })
    const answers = new Frames(frame => {
      const verdict = doomed.get(frame.readInt32BE(4))
      if (verdict === undefined) client.write(frame)
      else if (verdict === 'cut-mid-answer')
        client.end(frame.subarray(0, frame.length / 2), () => broker.destroy())
      else for (const end of ends) end.destroy()
    })
    client.on('data', data => {
      requests.push(data)
      broker.write(data)
    })
    broker.on('data', data => answers.push(data))
  }
}

/** Cuts a stream into what the Kafka protocol sends: a length in four bytes, and as many bytes. */
class Frames {
  readonly #each: (frame: Buffer) => void
  #rest: Buffer = Buffer.alloc(0)

  constructor(each: (frame: Buffer) => void) {
    this.#each = each
  }

  push(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data])
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readInt32BE(0)
      if (this.#rest.length < end) return
      const frame = this.#rest.subarray(0, end)
      this.#rest = this.#rest.subarray(end)
      this.#each(frame)
    }
  }
}
