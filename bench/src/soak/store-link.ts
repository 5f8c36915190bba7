import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** The way to the history's server, which can be taken away for good, as when that server is stopped. */
export class StoreLink implements AsyncDisposable {
  /** The server's URL by way of this link. */
  readonly url: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, target: URL) {
    this.#server = server
    const url = new URL(target)
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    this.url = url.href
  }

  /** @param target of one server, with its port */
  static async open(target: URL): Promise<StoreLink> {
    const server = createServer(near => {
      const far = connect(Number(target.port), target.hostname)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        link.#sockets.add(from)
        from.pipe(to)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          link.#sockets.delete(from)
          // The rest of an answer is still on its way to a slow reader.
          to.destroySoon()
        })
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const link = new StoreLink(server, target)
    return link
  }

  /** Connections end, and new ones are refused. Idempotent. */
  cut(): void {
    if (this.#server.listening) this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
  }
}
