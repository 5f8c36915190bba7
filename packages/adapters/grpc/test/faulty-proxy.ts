import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy that counts what it passes on, and can hang, or end an answer in its middle. */
export class FaultyProxy implements AsyncDisposable {
  toServerBytes = 0
  toClientBytes = 0
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  private hangs = false
  private cutsAnswers = false

  private constructor(target: number) {
    this.server = createServer(near => {
      const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
      near.setNoDelay(true)
      for (const socket of [near, far]) {
        this.sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.sockets.delete(socket)
          near.destroySoon()
          far.destroySoon()
        })
      }
      near.on('data', (chunk: Buffer) => {
        this.toServerBytes += chunk.length
        if (!this.hangs) far.write(chunk)
      })
      far.on('data', (chunk: Buffer) => this.answer(near, chunk))
    })
  }

  static async before(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    proxy.server.listen(0, '127.0.0.1')
    await once(proxy.server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  hang(): void {
    this.hangs = true
  }

  cutAnswers(): void {
    this.cutsAnswers = true
  }

  mend(): void {
    this.hangs = false
    this.cutsAnswers = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  private answer(near: Socket, chunk: Buffer): void {
    if (this.hangs) return
    if (this.cutsAnswers) {
      near.write(chunk.subarray(0, chunk.length >> 1), () => near.resetAndDestroy())
      return
    }
    this.toClientBytes += chunk.length
    near.write(chunk)
  }
}

/** A peer that says these bytes to whatever it is told first, and then nothing. */
export async function mutePeer(says: Uint8Array | undefined): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => says !== undefined && socket.write(says))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A port that nobody listens on. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
