import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What S3 says when it has no room, or too much to do. */
export type Refusal = 'InsufficientStorage' | 'SlowDown'

const STATUS: Readonly<Record<Refusal, number>> = { InsufficientStorage: 507, SlowDown: 503 }

/** Stands before an S3, and can refuse what is written to it. */
export interface RefusingStore extends AsyncDisposable {
  readonly url: string
  /** Writes are refused so, but for the first few; undefined: none is. */
  refuse(refusal: Refusal | undefined, butFirst?: number): void
}

export async function refusingStore(target: string): Promise<RefusingStore> {
  let refusal: Refusal | undefined
  let passes = 0
  const server = createServer((asked, answer) => {
    if (asked.method === 'PUT' && refusal !== undefined && passes-- <= 0) refuse(asked, answer, refusal)
    else pass(asked, answer, new URL(target))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuse(next, butFirst = 0) {
      refusal = next
      passes = butFirst
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function refuse(asked: IncomingMessage, answer: ServerResponse, refusal: Refusal): void {
  asked.resume().on('end', () => {
    answer.writeHead(STATUS[refusal], { 'content-type': 'application/xml' })
    answer.end(`<Error><Code>${refusal}</Code><Message>no</Message></Error>`)
  })
}

/** As it came: the signature holds the host that the client knows. */
function pass(asked: IncomingMessage, answer: ServerResponse, { hostname, port }: URL): void {
  const { method, url, headers } = asked
  const passed = request({ hostname, port, method, path: url, headers }, said => {
    answer.writeHead(said.statusCode ?? 502, said.headers)
    said.pipe(answer)
  })
  passed.on('error', () => answer.destroy())
  answer.on('close', () => passed.destroy())
  asked.pipe(passed)
}
