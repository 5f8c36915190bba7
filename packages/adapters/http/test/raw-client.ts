import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection written to byte by byte. */
export interface RawClient {
  readonly socket: Socket
  write(text: string | Uint8Array): void
  /** Everything that came, once the text contains this or the connection ended. */
  until(part: string): Promise<string>
  /** Everything that came until the connection ended. */
  ended(): Promise<string>
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let text = ''
  let over = false
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const wake of waiting) wake()
  }
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => {
    text += part
    look()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    over = true
    look()
  })
  const wait = (enough: () => boolean): Promise<string> =>
    new Promise(resolve => {
      const check = (): void => {
        if (!over && !enough()) return
        waiting.delete(check)
        resolve(text)
      }
      waiting.add(check)
      check()
    })
  return {
    socket,
    write: part => void socket.write(part),
    until: part => wait(() => text.includes(part)),
    ended: () => wait(() => false),
  }
}
