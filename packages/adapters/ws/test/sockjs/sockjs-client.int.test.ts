import SockJS from 'sockjs-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { echo, type Served, served } from '../served.ts'

const TEXTS = [
  'a',
  '',
  '"\\',
  '\u0000\n\r ',
  '\u2028\u200d\uffff',
  '\u20ac\u{1f600}',
  '</script>',
  'x'.repeat(10_000),
]

let server: Served
beforeAll(async () => {
  server = await served({
    onMessage: (peer, data) => {
      if (data === 'close me') peer.connection.close(3000, 'Go away!')
      else echo(peer, data)
    },
    maxStreamBytes: 4096,
  })
})
afterAll(() => server[Symbol.asyncDispose]())

describe('the real client', () => {
  it.each(['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'])(
    'T2.13: sockjs-client over %s gets back what it sends, in order, and the close',
    async transport => {
      const client = new SockJS(`http://127.0.0.1:${server.port}/echo`, undefined, {
        transports: [transport],
      })
      const received: string[] = []
      const closed = new Promise<{ code: number; reason: string; wasClean: boolean }>(resolve => {
        client.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })
      })
      client.onopen = () => {
        for (const text of TEXTS) client.send(text)
      }
      await new Promise<void>(resolve => {
        client.onmessage = ({ data }) => {
          received.push(data)
          if (received.length === TEXTS.length) resolve()
        }
      })
      expect(received).toEqual(TEXTS)
      expect(server.peers.at(-1)?.connection.transport).toBe(transport === 'xhr-polling' ? 'xhr' : transport)
      client.send('close me')
      expect(await closed).toEqual({ code: 3000, reason: 'Go away!', wasClean: true })
      expect(await server.peers.at(-1)?.ended()).toEqual({ code: 3000, reason: 'Go away!', clean: true })
    },
  )
})
