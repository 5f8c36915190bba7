import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { getHistory } from './http-calls.ts'
import { RawStomp } from './raw-stomp.ts'
import { dataFolder, ServerProcess, tokenFor } from './server-process.ts'

const LIMITS = {
  MAX_CONTENT_BYTES: 100,
  MAX_MESSAGE_TYPE_LENGTH: 8,
  MAX_CLIENT_MESSAGE_ID_LENGTH: 10,
  MAX_BATCH_CHATS: 2,
  MAX_ROOMS_PER_SESSION: 2,
  MAX_SUBSCRIPTIONS: 4,
  MAX_CONNECTIONS_PER_USER: 2,
  MAX_AUTH_FAILURES_PER_MINUTE: 3,
  MAX_PAGE_CHATS: 5,
  HISTORY_MAX_SKIP: 20,
  MAX_ATTACHMENT_BYTES: 1_000,
  RATE_LIMIT: 25,
  STOMP_MAX_FRAME_BYTES: 1_000,
  STOMP_MAX_HEADERS: 9,
  STOMP_MAX_HEADER_LINE_BYTES: 400,
  STOMP_MAX_TRANSACTIONS: 2,
  STOMP_MAX_TRANSACTION_SENDS: 3,
  STOMP_MAX_ID_LENGTH: 10,
  SOCKJS_MAX_MESSAGE_BYTES: 1_200,
  HTTP_MAX_BODY_BYTES: 700,
  HTTP_MAX_URL_LENGTH: 300,
  HTTP_MAX_FIELD_BYTES: 50,
  HTTP_MAX_HEADER_BYTES: 2_000,
}

const CHAT = { roomId: 1, messageType: 'TEXT', content: '' }

const { path, remove } = dataFolder()
const clients: RawStomp[] = []
let server: ServerProcess
let url: string
/** Of each test another one, since some limits are a user's. */
let user: string
let users = 0

beforeAll(async () => {
  const settings = Object.entries(LIMITS).map(([name, value]) => [name, String(value)])
  server = await ServerProcess.start(path, Object.fromEntries(settings))
  url = server.url
})
afterAll(async () => {
  await server.stop('SIGKILL')
  remove()
})
beforeEach(() => {
  users += 1
  user = `user-${users}`
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

async function open(token: string): Promise<RawStomp> {
  const client = await RawStomp.open(url, token)
  clients.push(client)
  return client
}

async function stomp(name = user): Promise<RawStomp> {
  const client = await open(tokenFor(name))
  expect(await client.next()).toBe('CONNECTED')
  return client
}

/** A text of so many bytes: of two each, and one of one where the number is odd. */
function text(bytes: number): string {
  return 'é'.repeat(bytes >> 1) + 'x'.repeat(bytes & 1)
}

/** A SEND with a receipt; what came of it. */
async function sent(client: RawStomp, fields: object, headers: Record<string, string> = {}): Promise<string> {
  const body = JSON.stringify({ ...CHAT, ...fields })
  client.send('SEND', { destination: '/queue/send', receipt: 'r', ...headers }, body)
  return client.next()
}

async function posted(body: string | object, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${url}/chat/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenFor(user)}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify({ ...CHAT, ...body }),
  })
  return answered(response)
}

async function answered(response: Response): Promise<string> {
  const { code } = (await response.json()) as { code?: string }
  return code === undefined ? String(response.status) : `${response.status} ${code}`
}

describe('each limit of a composed server, at N and at N + 1', () => {
  it.each<[string, (n: number) => object, number, string]>([
    ['MAX_CONTENT_BYTES', n => ({ content: text(n) }), LIMITS.MAX_CONTENT_BYTES, 'CHAT-005'],
    [
      'MAX_MESSAGE_TYPE_LENGTH',
      n => ({ messageType: 'T'.repeat(n) }),
      LIMITS.MAX_MESSAGE_TYPE_LENGTH,
      'CHAT-005',
    ],
    [
      'MAX_CLIENT_MESSAGE_ID_LENGTH',
      n => ({ clientMessageId: 'i'.repeat(n) }),
      LIMITS.MAX_CLIENT_MESSAGE_ID_LENGTH,
      'CHAT-005',
    ],
  ])('W75, E2: %s, by STOMP and by HTTP', async (_, fields, limit, code) => {
    const client = await stomp()
    expect(await sent(client, fields(limit))).toBe('RECEIPT')
    expect(await sent(client, fields(limit + 1))).toBe(`ERROR ${code}`)
    expect(await posted(fields(limit))).toBe('201')
    expect(await posted(fields(limit + 1))).toBe(`${code === 'CHAT-005' ? 413 : 400} ${code}`)
  })

  it('W10: STOMP_MAX_FRAME_BYTES, STOMP_MAX_HEADERS and STOMP_MAX_HEADER_LINE_BYTES', async () => {
    const frames: readonly (readonly [(n: number) => readonly string[], number])[] = [
      // SUBSCRIBE, its own lines, the filler's name and colon, and what ends the head and the frame.
      [
        n => [...head, ...filler(n - `SUBSCRIBE\n${head.join('\n')}\n\n\0`.length)],
        LIMITS.STOMP_MAX_FRAME_BYTES,
      ],
      [n => [...head, ...Array.from({ length: n - head.length }, () => 'x:y')], LIMITS.STOMP_MAX_HEADERS],
      [n => [...head, `x:${'y'.repeat(n - 2)}`], LIMITS.STOMP_MAX_HEADER_LINE_BYTES],
    ]
    for (const [lines, limit] of frames) {
      const client = await stomp()
      client.send('SUBSCRIBE', lines(limit))
      expect(await client.next()).toBe('RECEIPT')
      client.send(
        'SUBSCRIBE',
        lines(limit + 1).map(line => line.replace('id:a', 'id:b')),
      )
      expect(await client.next()).toMatch(/^ERROR CHAT-00[35]$/)
      expect(await client.next()).toMatch(/^closed 4\d\d\d|closed 100\d$/)
    }
  })

  it('W25, W27, W82: ids, and what a transaction holds', async () => {
    const id = (n: number): string => 'i'.repeat(n)
    const client = await stomp()
    client.send('SUBSCRIBE', { destination: '/topic/1', id: id(LIMITS.STOMP_MAX_ID_LENGTH), receipt: 'r' })
    expect(await client.next()).toBe('RECEIPT')
    client.send('SUBSCRIBE', {
      destination: '/topic/2',
      id: id(LIMITS.STOMP_MAX_ID_LENGTH + 1),
      receipt: 'r',
    })
    expect(await client.next()).toMatch(/^ERROR/)

    const many = await stomp()
    for (let n = 1; n <= LIMITS.STOMP_MAX_TRANSACTIONS; n++) {
      many.send('BEGIN', { transaction: `t${n}`, receipt: 'r' })
      expect(await many.next()).toBe('RECEIPT')
    }
    many.send('BEGIN', { transaction: 'more', receipt: 'r' })
    expect(await many.next()).toMatch(/^ERROR/)
  })

  it.each([
    ['STOMP_MAX_TRANSACTION_SENDS', LIMITS.STOMP_MAX_TRANSACTION_SENDS, 'ERROR'],
    ['MAX_BATCH_CHATS', LIMITS.MAX_BATCH_CHATS, 'ERROR CHAT-005'],
  ])('W27, W82: %s', async (setting, limit, refusal) => {
    for (const [sends, isTaken] of [
      [limit, true],
      [limit + 1, false],
    ] as const) {
      const client = await stomp(`${user}-${sends}`)
      client.send('BEGIN', { transaction: 't' })
      for (let n = 0; n < sends; n++)
        client.send('SEND', { destination: '/queue/send', transaction: 't' }, JSON.stringify(CHAT))
      client.send(setting === 'MAX_BATCH_CHATS' ? 'COMMIT' : 'ABORT', { transaction: 't', receipt: 'r' })
      const answer = await client.next()
      if (isTaken) expect(answer).toBe('RECEIPT')
      else expect(answer).toMatch(new RegExp(`^${refusal}`))
    }
  })

  it('W64, W73: MAX_SUBSCRIPTIONS and MAX_ROOMS_PER_SESSION', async () => {
    const rooms = await stomp()
    const subscribe = (client: RawStomp, id: number, roomId: number): Promise<string> => {
      client.send('SUBSCRIBE', { destination: `/topic/${roomId}`, id: `s${id}`, receipt: 'r' })
      return client.next()
    }
    for (let n = 1; n <= LIMITS.MAX_ROOMS_PER_SESSION; n++)
      expect(await subscribe(rooms, n, n)).toBe('RECEIPT')
    expect(await subscribe(rooms, 3, 3)).toBe('ERROR CHAT-005')
    const many = await stomp()
    for (let n = 1; n <= LIMITS.MAX_SUBSCRIPTIONS; n++) expect(await subscribe(many, n, 1)).toBe('RECEIPT')
    expect(await subscribe(many, 5, 1)).toMatch(/^ERROR CHAT-00[56]$/)
  })

  it('W62: MAX_CONNECTIONS_PER_USER', async () => {
    for (let n = 0; n < LIMITS.MAX_CONNECTIONS_PER_USER; n++) await stomp()
    const more = await open(tokenFor(user))
    expect([await more.next(), await more.next()]).toEqual(['ERROR CHAT-006', 'closed 4029'])
    await stomp(`${user}-another`)
  })

  it('W64: RATE_LIMIT: what comes faster than a burst of twice as many', async () => {
    const client = await stomp()
    // CONNECT was the first.
    const burst = 2 * LIMITS.RATE_LIMIT - 1
    // More than one, as the allowance grows in the moment that they take.
    for (let n = 0; n < burst + 5; n++)
      client.send('SEND', { destination: '/queue/send', receipt: `${n}` }, JSON.stringify(CHAT))
    const answers: string[] = []
    do answers.push(await client.next())
    while (answers.at(-1) === 'RECEIPT')
    expect(answers.at(-1)).toBe('ERROR CHAT-006')
  })

  it('R3, R4: MAX_PAGE_CHATS and HISTORY_MAX_SKIP', async () => {
    const status = async (query: string): Promise<string> => {
      const answer = await getHistory(url, tokenFor(user), `?roomId=1&${query}`)
      return `${answer.status}${answer.body.code === undefined ? '' : ` ${answer.body.code}`}`
    }
    const { MAX_PAGE_CHATS: size, HISTORY_MAX_SKIP: skip } = LIMITS
    expect(await status(`page=1&size=${size}`)).toBe('200')
    expect(await status(`page=1&size=${size + 1}`)).toBe('400 CHAT-003')
    expect(await status(`limit=${size}`)).toBe('200')
    expect(await status(`limit=${size + 1}`)).toBe('400 CHAT-003')
    expect(await status(`page=${skip / size}&size=${size}`)).toBe('200')
    expect(await status(`page=${skip / size + 1}&size=${size}`)).toBe('400 CHAT-003')
  })

  it('R1, R10: HTTP_MAX_BODY_BYTES, HTTP_MAX_URL_LENGTH and HTTP_MAX_HEADER_BYTES', async () => {
    const body = (bytes: number): string => {
      const short = JSON.stringify({ ...CHAT, padding: '' })
      return short.replace('"padding":""', `"padding":"${'x'.repeat(bytes - short.length)}"`)
    }
    expect(await posted(body(LIMITS.HTTP_MAX_BODY_BYTES))).toBe('201')
    expect(await posted(body(LIMITS.HTTP_MAX_BODY_BYTES + 1))).toBe('413 CHAT-005')
    const path = (length: number): string => '/chat/history?roomId=1&limit=1&x='.padEnd(length, 'x')
    const get = async (length: number, headers: Record<string, string> = {}): Promise<string> =>
      answered(
        await fetch(url + path(length), {
          headers: { authorization: `Bearer ${tokenFor(user)}`, ...headers },
        }),
      )
    expect(await get(LIMITS.HTTP_MAX_URL_LENGTH)).toBe('200')
    expect(await get(LIMITS.HTTP_MAX_URL_LENGTH + 1)).toMatch(/^4\d\d CHAT-00\d$/)
    expect(await get(50, { 'x-padding': 'x'.repeat(1_000) })).toBe('200')
    expect(await get(50, { 'x-padding': 'x'.repeat(2_000) })).toBe('413 CHAT-005')
  })

  it('R2: MAX_ATTACHMENT_BYTES and HTTP_MAX_FIELD_BYTES', async () => {
    const form = async (bytes: number, typeLength: number): Promise<string> => {
      const data = new FormData()
      data.set('roomId', '1')
      data.set('messageType', 'FILE')
      data.set('padding', 'x'.repeat(typeLength))
      data.set('content', new File([new Uint8Array(bytes)], 'a.bin'))
      const headers = { authorization: `Bearer ${tokenFor(user)}` }
      return answered(await fetch(`${url}/chat/send`, { method: 'POST', headers, body: data }))
    }
    const { MAX_ATTACHMENT_BYTES: bytes, HTTP_MAX_FIELD_BYTES: field } = LIMITS
    expect(await form(bytes, 1)).not.toBe('413 CHAT-005')
    expect(await form(bytes + 1, 1)).toBe('413 CHAT-005')
    expect(await form(1, field)).not.toBe('413 CHAT-005')
    expect(await form(1, field + 1)).toBe('413 CHAT-005')
  })

  it('T3.9: SOCKJS_MAX_MESSAGE_BYTES on a WebSocket', async () => {
    const frame = (client: RawStomp, bytes: number): void =>
      client.send(`${'\n'.repeat(bytes - 3 - 'ABORT'.length)}ABORT`, [])
    const client = await stomp()
    frame(client, LIMITS.SOCKJS_MAX_MESSAGE_BYTES)
    expect(await client.next(), 'it is read').toMatch(/^ERROR/)
    const other = await stomp()
    frame(other, LIMITS.SOCKJS_MAX_MESSAGE_BYTES + 1)
    expect(await other.next()).toBe('closed 1009')
  })

  // Last: it shuts everybody of this address out.
  it('W62: MAX_AUTH_FAILURES_PER_MINUTE: then the address is refused unasked, also with a good token', async () => {
    for (let n = 0; n < LIMITS.MAX_AUTH_FAILURES_PER_MINUTE; n++) {
      const wrong = await open('garbage')
      expect(await wrong.next()).toBe('ERROR CHAT-032')
    }
    const refused = await open(tokenFor(user))
    expect([await refused.next(), await refused.next()]).toEqual(['ERROR CHAT-006', 'closed 4029'])
  })
})

const head = ['destination:/topic/1', 'id:a', 'receipt:r']

/** Header lines of so many bytes, their line ends counted. */
function filler(bytes: number): readonly string[] {
  const lines: string[] = []
  for (let left = bytes; left > 0; ) {
    const length = left > 300 ? 200 : left
    lines.push(`x:${'y'.repeat(length - 3)}`)
    left -= length
  }
  return lines
}
