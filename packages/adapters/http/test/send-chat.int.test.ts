import { ChatError, formatPosition, parsePosition } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { ALICE, failure, serve } from './served.ts'

const DRAFT = { roomId: 7, messageType: 'TEXT', content: '안녕 👋' }

interface Sent {
  result: string
  message: string
  data: Record<string, unknown>
}

describe('R1: POST /chat/send with JSON', () => {
  it('G7.1: answers 201 with the chat once the log has it', async () => {
    const served = await serve()
    const answer = await served.post(DRAFT)
    const body = (await answer.json()) as Sent
    expect(answer.status).toBe(201)
    expect(body).toMatchObject({ result: 'SUCCESS', message: 'send chat successfully' })
    expect(Object.keys(body.data)).toEqual([
      '_id',
      'roomId',
      'senderId',
      'messageType',
      'content',
      'createdAt',
      'position',
    ])
    expect(body.data).toMatchObject({ ...DRAFT, senderId: 'alice' })
    expect(body.data.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(answer.headers.get('x-chat-position')).toBe(body.data.position)
    const page = await served.chat.history(ALICE, { kind: 'latest', roomId: 7 as never, limit: 10 })
    expect(page.chats.map(one => one._id)).toEqual([body.data._id])
  })

  it('under sgs a chat has exactly the six fields, its time local and without a zone', async () => {
    const served = await serve({ compat: 'sgs', timeZone: 'Asia/Seoul' })
    const before = Date.now()
    const { data } = (await (await served.post(DRAFT)).json()) as Sent
    expect(Object.keys(data)).toEqual(['_id', 'roomId', 'senderId', 'messageType', 'content', 'createdAt'])
    expect(data.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?$/)
    const sentMs = Date.parse(`${String(data.createdAt)}+09:00`)
    expect(sentMs).toBeGreaterThanOrEqual(before)
    expect(sentMs).toBeLessThanOrEqual(Date.now())
  })

  it('takes the room id as a string of digits, as the page of today sends it, and answers a number', async () => {
    const served = await serve()
    const { data } = (await (await served.post({ ...DRAFT, roomId: '7' })).json()) as Sent
    expect(data.roomId).toBe(7)
  })

  it.each([
    ['in the body', { ...DRAFT, clientMessageId: 'one' }, {}],
    ['as Client-Message-Id', DRAFT, { 'client-message-id': 'one' }],
    ['as Idempotency-Key, quoted', DRAFT, { 'idempotency-key': '"one"' }],
  ])('G3.3: the same clientMessageId %s is the same chat', async (_where, body, headers) => {
    const served = await serve()
    const first = (await (await served.post({ ...DRAFT, clientMessageId: 'one' })).json()) as Sent
    const again = await served.post({ ...body, retry: true }, headers as Record<string, string>)
    expect(again.status).toBe(201)
    expect(((await again.json()) as Sent).data).toEqual(first.data)
    expect(
      await failure(await served.post({ ...body, content: 'other' }, headers as Record<string, string>)),
    ).toBe('409 CHAT-009')
  })

  it('the sender is always the token’s user', async () => {
    const served = await serve()
    expect((await served.post({ ...DRAFT, senderId: 'alice' })).status).toBe(201)
    expect(await failure(await served.post({ ...DRAFT, senderId: 'bob' }))).toBe('403 CHAT-004')
  })

  it.each([
    ['no JSON', '{"roomId":'],
    ['an empty body', ''],
    ['an array', '[]'],
    ['a text', '"chat"'],
    ['null', 'null'],
    ['no room', '{"messageType":"TEXT","content":"x"}'],
    ['a wrong type', '{"roomId":1,"messageType":"TEXT","content":5}'],
    ['NUL in the content', '{"roomId":1,"messageType":"TEXT","content":"a\\u0000b"}'],
    ['a lone surrogate', '{"roomId":1,"messageType":"TEXT","content":"\\ud800"}'],
    ['room 007', '{"roomId":"007","messageType":"TEXT","content":"x"}'],
    ['a negative room', '{"roomId":-1,"messageType":"TEXT","content":"x"}'],
    ['room 2^53', '{"roomId":9007199254740992,"messageType":"TEXT","content":"x"}'],
    ['a room that would be rounded', '{"roomId":9007199254740990.6,"messageType":"TEXT","content":"x"}'],
    ['a room with a fraction', '{"roomId":1.0,"messageType":"TEXT","content":"x"}'],
    ['retry as a text', '{"roomId":1,"messageType":"TEXT","content":"x","retry":"true"}'],
  ])('G7.5: %s is 400 CHAT-003', async (_what, body) => {
    const served = await serve()
    expect(await failure(await served.post(body))).toBe('400 CHAT-003')
  })

  it('invalid UTF-8 is 400 CHAT-003, never replaced characters', async () => {
    const served = await serve()
    const body = Buffer.concat([
      Buffer.from('{"roomId":1,"messageType":"TEXT","content":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ])
    const answer = await served.ask('/chat/send', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(await failure(answer)).toBe('400 CHAT-003')
  })

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])(
    'a body of %s is 400 CHAT-003',
    async type => {
      const served = await serve()
      expect(await failure(await served.post('x', { 'content-type': type }))).toBe('400 CHAT-003')
    },
  )

  it('content is taken up to the limit in bytes, and refused one byte over', async () => {
    const served = await serve({ chatLimits: { maxContentBytes: 300 } })
    expect((await served.post({ ...DRAFT, content: '한'.repeat(100) })).status).toBe(201)
    expect(await failure(await served.post({ ...DRAFT, content: `${'한'.repeat(100)}x` }))).toBe(
      '413 CHAT-005',
    )
  })

  it('a body is taken up to the limit, and refused one byte over', async () => {
    const body = JSON.stringify(DRAFT)
    const maxBodyBytes = Buffer.byteLength(body)
    const served = await serve({ httpLimits: { maxBodyBytes } })
    expect((await served.post(body)).status).toBe(201)
    expect(await failure(await served.post(`${body} `))).toBe('413 CHAT-005')
  })

  it('the longest content fits when every byte of it is escaped', async () => {
    const served = await serve()
    const { maxContentBytes } = served.chat.limits
    const content = '\\u0001'.repeat(maxContentBytes)
    const answer = await served.post(`{"roomId":1,"messageType":"TEXT","content":"${content}"}`)
    expect(answer.status).toBe(201)
  })

  it('a log that is away is a failure that says whether the chat may be there', async () => {
    const served = await serve()
    served.log.disconnect()
    const answer = await served.post(DRAFT)
    expect(answer.headers.get('x-chat-retryable')).toBe('true')
    expect(await failure(answer)).toBe('503 CHAT-034')
    served.log.reconnect()
  })

  it('an unexpected error is 500 CHAT-031 without its text, which goes to the log', async () => {
    const secret = 'select * from secrets'
    const told: unknown[] = []
    const served = await serve({
      chat: () => ({ send: () => Promise.reject(new Error(secret)) }),
      logger: {
        debug() {},
        info() {},
        warn() {},
        error: (message, fields) => told.push([message, fields]),
      },
    })
    const answer = await served.ask('/chat/send?secret=of-the-query', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(DRAFT),
    })
    expect(answer.headers.get('x-chat-outcome')).toBe('unknown')
    const text = await answer.clone().text()
    expect(text).not.toContain(secret)
    expect(await failure(answer)).toBe('500 CHAT-031')
    expect(told).toHaveLength(1)
    expect(JSON.stringify(told)).not.toMatch(/alice-token|of-the-query|안녕/)
    expect(JSON.stringify(told)).toContain('POST /chat/send')
  })

  it('the position of an answer serves as min of a read', async () => {
    const served = await serve()
    const answer = await served.post(DRAFT)
    const position = answer.headers.get('x-chat-position') ?? ''
    expect(formatPosition(parsePosition(position, 'position'))).toBe(position)
    expect((await served.ask(`/chat/history?roomId=7&limit=1&min=${position}`)).status).toBe(200)
  })
})

describe('failures on the wire', () => {
  it('E2: under sgs the body has exactly the five fields and the headers say the rest', async () => {
    const served = await serve({ compat: 'sgs' })
    const answer = await served.post({ ...DRAFT, senderId: 'bob' })
    const body = (await answer.json()) as object
    expect(Object.keys(body)).toEqual(['result', 'message', 'status', 'code', 'description'])
    expect(body).toMatchObject({
      result: 'Failed',
      code: 'CHAT-004',
      status: '403 FORBIDDEN',
      message: '권한이 없음',
    })
    expect(answer.headers.get('x-chat-retryable')).toBe('false')
    expect(answer.headers.get('x-chat-outcome')).toBe('rejected')
  })

  it('G7.4: a code without an HTTP word has its own status', async () => {
    const served = await serve({
      chat: () => ({
        send: () => Promise.reject(new ChatError('KAFKA_TIMEOUT', 'late', { outcome: 'unknown' })),
      }),
    })
    expect(await failure(await served.post(DRAFT))).toBe('504 CHAT-014')
  })
})
