/** A TCP link to a server that a test can cut and mend, as when the server is stopped or hangs. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export interface CuttableLink extends AsyncDisposable {
  /** `127.0.0.1:port`: give this to the client in the place of the server's own. */
  readonly address: string
  /** Connections end and new ones are refused, as with a server that is stopped. */
  cut(): Promise<void>
  /** Bytes are taken and not passed on, in both directions, as with a server that hangs. */
  hang(): void
  /** What is asked arrives, and no answer comes back. */
  loseAnswers(): void
  /** Undoes `cut`, `hang` and `loseAnswers`; what hung is passed on now. */
  mend(): Promise<void>
}

/** @param target `host:port` */
export async function cuttableLink(target: string): Promise<CuttableLink> {
  const { hostname, port } = new URL(`tcp://${target}`)
  const pairs = new Set<readonly [Socket, Socket]>()
  let hold: (pair: readonly [Socket, Socket]) => void = () => undefined
  const server: Server = createServer(near => {
    const far = connect(Number(port), hostname)
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        // A server may close as soon as it has answered: a reader that is slower gets the rest first.
        to.destroySoon()
        if (to.destroyed) pairs.delete(pair)
      })
    }
    hold(pair)
  })
  const listen = async (at: number): Promise<void> => {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
  }
  const cut = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined
    server.close()
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
    await closed
  }
  const holdAll = (how: typeof hold): void => {
    hold = how
    for (const pair of pairs) hold(pair)
  }
  await listen(0)
  const own = (server.address() as AddressInfo).port
  return {
    address: `127.0.0.1:${own}`,
    cut,
    hang: () => holdAll(pause),
    loseAnswers: () => holdAll(pauseAnswers),
    async mend() {
      hold = () => undefined
      for (const pair of pairs) {
        // What still flows must not flow twice.
        pause(pair)
        const [near, far] = pair
        near.pipe(far)
        far.pipe(near)
      }
      if (!server.listening) await listen(own)
    },
    [Symbol.asyncDispose]: cut,
  }
}

function pause([near, far]: readonly [Socket, Socket]): void {
  near.unpipe(far)
  near.pause()
  pauseAnswers([near, far])
}

function pauseAnswers([near, far]: readonly [Socket, Socket]): void {
  far.unpipe(near)
  far.pause()
}
