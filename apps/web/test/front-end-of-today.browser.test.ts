import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testServers, tokenFor } from '../../server/test/e2e/server-process.ts'
import { launch } from './browser.ts'

const require = createRequire(import.meta.url)
const readBundle = (path: string): string => readFileSync(path, 'utf8')
/** What a page without a bundler loads by `<script>`. */
const BUNDLES: Readonly<Record<string, string>> = {
  '/sockjs.js': readBundle(require.resolve('sockjs-client/dist/sockjs.min.js')),
  '/stomp.js': readBundle(join(dirname(require.resolve('@stomp/stompjs')), '../bundles/stomp.umd.min.js')),
}
const PAGE = '<!doctype html><meta charset="utf-8"><title>front end</title><link rel="icon" href="data:,">'

let browser: Browser | undefined
let frontEnd: Server
const { cleanups, start } = testServers()
beforeAll(async () => {
  browser = await launch()
  frontEnd = createServer((request, response) => {
    const script = BUNDLES[request.url ?? '']
    response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript')
    response.end(script ?? `${PAGE}<script src="/sockjs.js"></script><script src="/stomp.js"></script>`)
  })
  await new Promise<void>(resolve => frontEnd.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await browser?.close()
  frontEnd.close()
})

/** The pieces of the two bundles that the page uses, as they hang on `window`. */
interface Bundles {
  readonly SockJS: new (url: string, reserved: undefined, options: { transports: string }) => WebSocket
  readonly StompJs: { readonly Client: new (options: object) => FrontEndClient }
}
interface FrontEndClient {
  readonly activate: () => void
  readonly deactivate: () => Promise<void>
  readonly subscribe: (to: string, take: (frame: { body: string }) => void, headers: object) => void
  readonly unsubscribe: (id: string, headers: object) => void
}

interface Life {
  readonly url: string
  readonly token: string
  readonly transport: string
  readonly name: string
}

/**
 * The life of the front end of today: into the lobby, from there into a room, a chat by POST, and back. Runs in the page, so it uses
 * nothing from outside itself.
 * @returns each step as it happened
 */
async function live({ url, token, transport, name }: Life): Promise<string[]> {
  const { SockJS, StompJs } = window as unknown as Bundles
  const headers = { Authorization: `Bearer ${token}` }
  const steps: string[] = []
  const taken: { content: string; createdAt: number[] }[] = []
  let wake = (): void => undefined
  const take =
    (room: string) =>
    ({ body }: { body: string }): void => {
      const chat = JSON.parse(body) as { content: string; createdAt: number[] }
      steps.push(`${room}: ${chat.content}`)
      taken.push(chat)
      wake()
    }
  let socket: WebSocket | undefined
  const client = await new Promise<FrontEndClient>((resolve, reject) => {
    const one: FrontEndClient = new StompJs.Client({
      webSocketFactory: () => {
        socket = new SockJS(`${url}/chat/connect`, undefined, { transports: transport })
        return socket
      },
      connectHeaders: headers,
      reconnectDelay: 0,
      onConnect: () => resolve(one),
      onStompError: ({ body }: { body: string }) => reject(new Error(body)),
      onWebSocketClose: ({ code, reason }: CloseEvent) => reject(new Error(`closed: ${code} ${reason}`)),
    })
    one.activate()
  })
  steps.push(`over ${(socket as unknown as { transport: string }).transport}`)
  client.subscribe('/topic/0', take('lobby'), { id: 'sub-0', ...headers })
  client.unsubscribe('sub-0', headers)
  client.subscribe('/topic/7', take('room'), { id: 'sub-7', ...headers })
  // The front end asks for no receipt; what shows that it is in is the first chat that comes back.
  const arrived = new Promise<void>(resolve => {
    wake = resolve
  })
  let sent = 0
  while (taken.length === 0) {
    const answer = await fetch(`${url}/chat/send`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ messageType: 'TEXT', roomId: '7', content: `${name} ${sent}` }),
    })
    sent += 1
    if (answer.status !== 201) throw new Error(`the chat was answered ${answer.status}`)
    await Promise.race([arrived, new Promise(resolve => setTimeout(resolve, 500))])
  }
  const [first] = taken
  steps.push(`shown at ${first?.createdAt[3]}:${first?.createdAt[4]}`)
  client.unsubscribe('sub-7', headers)
  client.subscribe('/topic/0', take('lobby'), { id: 'sub-0', ...headers })
  await client.deactivate()
  steps.push('left')
  return steps
}

async function frontEndPage(): Promise<Page> {
  if (browser === undefined) throw new Error('there is no browser')
  const page = await browser.newPage()
  cleanups.push(() => page.close())
  await page.goto(`http://127.0.0.1:${(frontEnd.address() as AddressInfo).port}/`)
  return page
}

const TRANSPORTS = [
  'websocket',
  'xhr-streaming',
  'eventsource',
  'iframe-eventsource',
  'iframe-htmlfile',
  'xhr-polling',
  'iframe-xhr-polling',
  'jsonp-polling',
]

it.for(TRANSPORTS)(
  'T2.13, T6.1: the front end of today lives its whole life in Chromium, from another origin, over %s',
  async (transport, context) => {
    if (browser === undefined) return context.skip()
    const { port } = frontEnd.address() as AddressInfo
    const server = await start({
      CHAT_COMPAT: 'sgs',
      CHAT_TIME_ZONE: 'Asia/Seoul',
      ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
      SOCKJS_CLIENT_URL: `http://127.0.0.1:${port}/sockjs.js`,
    })
    const page = await frontEndPage()
    const hour = (): number => (new Date().getUTCHours() + 9) % 24
    const hours = [hour()]
    const steps = await page.evaluate(live, {
      url: server.url,
      token: tokenFor('alice'),
      transport,
      name: 'hello over',
    })
    hours.push(hour())
    expect(steps[0]).toBe(`over ${transport}`)
    expect(steps[1]).toMatch(/^room: hello over \d+$/)
    expect(steps.filter(step => step.startsWith('lobby'))).toEqual([])
    const shown = steps.find(step => step.startsWith('shown at'))
    expect(hours.map(at => `shown at ${at}`)).toContain(shown?.split(':')[0])
    expect(steps.at(-1)).toBe('left')
  },
)
