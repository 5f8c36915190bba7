import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientOptions } from './client-options.ts'
import { ConnectError, StompConnection } from './stomp-connection.ts'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000

/** The server will not have this client, now or later. */
const FINAL_CODES = new Set(['CHAT-032', 'CHAT-004', 'CHAT-001'])

/** A client's way to a node: the next one of the list whenever the last was lost, waiting longer with each round. */
export class NodeChooser {
  readonly #options: ClientOptions
  readonly #userId: string
  #next: number
  #connections = 0

  /** `first`: which node of the list it begins with. */
  constructor(options: ClientOptions, userId: string, first: number) {
    this.#options = options
    this.#userId = userId
    this.#next = first
  }

  /** Connections made, the first one included. */
  get connections(): number {
    return this.#connections
  }

  /** The node of the connection that was made last. */
  get node(): string {
    const { nodes } = this.#options
    return nodes[(this.#next - 1 + nodes.length) % nodes.length] ?? ''
  }

  token(): Promise<string> {
    return this.#options.tokens(this.#userId)
  }

  /** Tries node after node until `signal` says that it is over. @throws ConnectError when the server refuses for good */
  async connect(signal: AbortSignal): Promise<StompConnection | undefined> {
    const { nodes, transport, connectTimeoutMs, answerTimeoutMs } = this.#options
    const token = await this.token()
    for (let tries = 0; !signal.aborted; tries += 1) {
      const node = nodes[this.#next % nodes.length] ?? ''
      this.#next = (this.#next + 1) % nodes.length
      try {
        const connection = await StompConnection.open({
          node,
          token,
          transport,
          connectTimeoutMs,
          answerTimeoutMs,
        })
        this.#connections += 1
        return connection
      } catch (error) {
        if (!(error instanceof ConnectError) || FINAL_CODES.has(error.code ?? '')) throw error
      }
      const round = Math.floor(tries / nodes.length)
      await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(round, 10)), signal)
    }
    return undefined
  }
}

/** Returns early, and quietly, when the signal comes. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
