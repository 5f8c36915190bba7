import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface SessionBalancer extends AsyncDisposable {
  readonly url: string
  /** How many requests each node was given. */
  readonly given: readonly number[]
}

/**
 * Does what deploy/haproxy.cfg says: requests of one SockJS session go to one node, by a hash of the session in their path;
 * everything else goes to one node after the other.
 */
export async function sessionBalancer(nodes: readonly string[]): Promise<SessionBalancer> {
  const given = nodes.map(() => 0)
  const sockets = new Set<Duplex>()
  let turn = 0
  const nodeFor = (path = ''): URL => {
    const session = /^\/chat\/connect\/[^/]+\/([^/]+)\//.exec(path)?.[1]
    turn += session === undefined ? 1 : 0
    const hash = createHash('sha256')
      .update(session ?? '')
      .digest()
      .readUInt32BE()
    const index = (session === undefined ? turn : hash) % nodes.length
    given[index] = (given[index] ?? 0) + 1
    return new URL(nodes[index] ?? '')
  }
  const pass = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const { hostname, port } = nodeFor(incoming.url)
    const { method, url, headers } = incoming
    const asked = request({ hostname, port, path: url, headers, ...(method ? { method } : {}) }, answered => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(answer)
      answered.on('error', () => answer.destroy())
    })
    asked.on('error', () => answer.destroy())
    answer.on('close', () => asked.destroy())
    incoming.pipe(asked)
  }
  const server = createServer(pass)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('upgrade', ({ url, rawHeaders }: IncomingMessage, near: Duplex, head: Buffer) => {
    const { hostname, port } = nodeFor(url)
    const far = connect(Number(port), hostname, () => {
      const lines = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [`${name}: ${rawHeaders[n + 1]}`] : []))
      far.write(`GET ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      far.write(head)
      near.pipe(far).pipe(near)
    })
    sockets.add(far)
    near.on('error', () => far.destroy()).on('close', () => far.destroy())
    far.on('error', () => near.destroy()).on('close', () => near.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    given,
    [Symbol.asyncDispose]: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
