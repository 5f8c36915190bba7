import type { Socket } from 'node:net'
import { ChatError, type LoggedChat, type StreamHistory } from '@sgs-chat/core'
import { describe, expect, it, vi } from 'vitest'
import { rawClient } from './raw-client.ts'
import { failure, fill, type Served, serve } from './served.ts'

interface Answer {
  result: string
  message: string
  data: { _id: string; content: string; position?: string; [field: string]: unknown }[]
  hasMore?: boolean
  hasOlder?: boolean
  hasNewer?: boolean
  head?: string
  complete?: boolean
}

async function ask(served: Served, query: string): Promise<Answer & { headers: Headers }> {
  const answer = await served.ask(`/chat/history${query}`)
  expect(answer.status).toBe(200)
  return { ...((await answer.json()) as Answer), headers: answer.headers }
}

const ids = (chats: readonly { _id: string }[]): string[] => chats.map(one => one._id)

describe('R3: GET /chat/history by page', () => {
  it('answers pages, newest first, with the contract’s words', async () => {
    const served = await serve()
    const chats = (await fill(served, 7, 25)).toReversed()
    const first = await ask(served, '?roomId=7&page=1&size=10')
    expect(first).toMatchObject({ result: 'SUCCESS', message: 'get chats in room with paging successfully' })
    expect(ids(first.data)).toEqual(ids(chats.slice(0, 10)))
    expect(ids((await ask(served, '?roomId=7&page=3&size=10')).data)).toEqual(ids(chats.slice(20)))
    expect((await ask(served, '?roomId=7&page=4&size=10')).data).toEqual([])
    expect(ids((await ask(served, '?roomId=7')).data)).toEqual(ids(chats.slice(0, 20)))
    expect((await ask(served, '?roomId=8')).data).toEqual([])
  })

  it('G5.2: pages stand still with until, and shift without it', async () => {
    const served = await serve()
    const chats = (await fill(served, 7, 20)).toReversed()
    const { headers } = await ask(served, '?roomId=7&page=1&size=10')
    expect(headers.get('x-chat-complete')).toBe('true')
    const until = headers.get('x-chat-until')
    await fill(served, 7, 5)
    const still = await ask(served, `?roomId=7&page=2&size=10&until=${until}`)
    expect(ids(still.data)).toEqual(ids(chats.slice(10)))
    expect(still.headers.get('x-chat-until')).toBe(until)
    expect(ids((await ask(served, '?roomId=7&page=2&size=10')).data)).not.toEqual(ids(chats.slice(10)))
  })

  it('under sgs a chat of a page has exactly the six fields', async () => {
    const served = await serve({ compat: 'sgs' })
    await fill(served, 7, 1)
    const { data, headers } = await ask(served, '?roomId=7&page=1&size=10')
    expect(Object.keys(data[0] ?? {})).toEqual([
      '_id',
      'roomId',
      'senderId',
      'messageType',
      'content',
      'createdAt',
    ])
    expect(headers.get('x-chat-until')).toMatch(/^1:\d+$/)
  })

  it('page, size and their product are taken up to the limit, and refused one over', async () => {
    const served = await serve({ chatLimits: { maxPageChats: 10, historyMaxSkip: 30 } })
    for (const query of ['page=1&size=10', 'page=3&size=10']) await ask(served, `?roomId=7&${query}`)
    for (const query of [
      'page=1&size=11',
      'page=4&size=10',
      'page=0',
      'size=0',
      'page=-1',
      'page=1.5',
      'page=1e1',
    ]) {
      expect(await failure(await served.ask(`/chat/history?roomId=7&${query}`))).toBe('400 CHAT-003')
    }
  })
})

describe('R4: GET /chat/history by position', () => {
  it('G5.2: before, after, around and the newest, each chat with its position, and what is left', async () => {
    const served = await serve()
    const chats = (await fill(served, 7, 10)).toReversed()
    const at = (index: number): string => `1:${chats[index]?.position.seq}`
    const latest = await ask(served, '?roomId=7&limit=4')
    expect(latest).toMatchObject({ hasMore: true, hasOlder: true, head: at(0), complete: true })
    expect(latest).not.toHaveProperty('hasNewer')
    expect(ids(latest.data)).toEqual(ids(chats.slice(0, 4)))
    expect(latest.data.map(one => one.position)).toEqual([at(0), at(1), at(2), at(3)])
    const before = await ask(served, `?roomId=7&before=${at(3)}&limit=10`)
    expect(before).toMatchObject({ hasMore: false, hasOlder: false })
    expect(ids(before.data)).toEqual(ids(chats.slice(4)))
    const after = await ask(served, `?roomId=7&after=${at(3)}&limit=2`)
    expect(after).toMatchObject({ hasMore: true, hasNewer: true })
    expect(ids(after.data)).toEqual(ids(chats.slice(1, 3)))
    const around = await ask(served, `?roomId=7&around=${at(5)}&limit=5`)
    expect(around).toMatchObject({ hasMore: true, hasNewer: true, hasOlder: true })
    expect(ids(around.data)).toContain(chats[5]?._id)
    expect((await ask(served, `?roomId=7&before=${at(3)}`)).data).toHaveLength(6)
  })

  it('also under sgs a chat read by position has its position', async () => {
    const served = await serve({ compat: 'sgs' })
    await fill(served, 7, 1)
    expect((await ask(served, '?roomId=7&limit=1')).data[0]?.position).toMatch(/^1:\d+$/)
  })

  it('limit is taken up to the limit, and refused one over', async () => {
    const served = await serve({ chatLimits: { maxPageChats: 10 } })
    await ask(served, '?roomId=7&limit=10')
    expect(await failure(await served.ask('/chat/history?roomId=7&limit=11'))).toBe('400 CHAT-003')
    expect(await failure(await served.ask('/chat/history?roomId=7&limit=0'))).toBe('400 CHAT-003')
  })

  it('G5.1: min that this node cannot reach in time is complete:false', async () => {
    const served = await serve({ chatLimits: { historyBarrierMs: 20 } })
    await fill(served, 7, 1)
    const late = await ask(served, '?roomId=7&limit=1&min=1:999')
    expect(late.complete).toBe(false)
    const page = await ask(served, '?roomId=7&page=1&size=1&min=1:999')
    expect(page.headers.get('x-chat-complete')).toBe('false')
  })

  it.each([
    '',
    '?page=1',
    '?roomId=',
    '?roomId=x',
    '?roomId=07',
    '?roomId=9007199254740992',
    '?roomId=7&roomId=8',
    '?roomId=7&before=5',
    '?roomId=7&before=1:5&after=1:6',
    '?roomId=7&before=1:5&before=1:6',
    '?roomId=7&before=1:5&page=1',
    '?roomId=7&limit=5&size=5',
    '?roomId=7&limit=x',
    '?roomId=7&page=1&until=x',
    '?roomId=7&min=-1:0&limit=1',
  ])('history%s is 400 CHAT-003', async query => {
    const served = await serve()
    expect(await failure(await served.ask(`/chat/history${query}`))).toBe('400 CHAT-003')
  })
})

describe('R5: GET /chat/history/{roomId}', () => {
  it('answers a whole room of 20,000 chats, newest first, none missing', async () => {
    const served = await serve()
    const chats = (await fill(served, 7, 20_000)).toReversed()
    const answer = await served.ask('/chat/history/7')
    expect(answer.headers.get('content-length')).toBeNull()
    const { result, message, data } = (await answer.json()) as Answer
    expect({ result, message }).toEqual({ result: 'SUCCESS', message: 'get chats in room successfully' })
    expect(ids(data)).toEqual(ids(chats))
  })

  it('an empty room is an empty list', async () => {
    const served = await serve()
    expect(await (await served.ask('/chat/history/7')).json()).toEqual({
      result: 'SUCCESS',
      message: 'get chats in room successfully',
      data: [],
    })
  })

  it('reads no page that the client has no room for', async () => {
    const pages = { asked: 0, ended: false }
    const served = await serve({ chat: () => ({ streamHistory: endless(pages) }) })
    const connection = new Promise<Socket>(resolve => served.http.server.once('connection', resolve))
    const client = await rawClient(served.port)
    client.socket.pause()
    client.write(`GET /chat/history/7 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice-token\r\n\r\n`)
    let before = -1
    await vi.waitFor(
      () => {
        const isStill = pages.asked > 0 && pages.asked === before
        before = pages.asked
        expect(isStill).toBe(true)
      },
      { interval: 100, timeout: 10_000 },
    )
    // About 100 KB a page: the sockets' own buffers take some megabytes and then the reading stops.
    expect(pages.asked).toBeLessThan(200)
    expect((await connection).writableLength).toBeLessThan(1_000_000)
    client.socket.destroy()
    await vi.waitFor(() => expect(pages.ended).toBe(true))
  })

  it('G5.3: a failure before the first byte is an answer of its own, one after it cuts the connection', async () => {
    const logged: string[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => void logged.push(message) }
    const served = await serve({ logger, chat: () => ({ streamHistory: failingAfter(0) }) })
    expect(await failure(await served.ask('/chat/history/7'))).toBe('503 CHAT-034')
    const cut = await serve({ logger, chat: () => ({ streamHistory: failingAfter(3) }) })
    const client = await rawClient(cut.port)
    client.write(`GET /chat/history/7 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice-token\r\n\r\n`)
    const text = await client.ended()
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).toContain('"data":[{')
    expect(text).not.toContain(']}')
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(logged).toEqual(['a whole room could not be sent to its end'])
  })

  it('a reader that takes nothing is cut off', async () => {
    const pages = { asked: 0, ended: false }
    const served = await serve({
      httpLimits: { idleTimeoutMs: 300 },
      chat: () => ({ streamHistory: endless(pages) }),
    })
    const client = await rawClient(served.port)
    client.socket.pause()
    client.write(`GET /chat/history/7 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice-token\r\n\r\n`)
    await vi.waitFor(() => expect(pages.ended).toBe(true), { timeout: 10_000 })
    client.socket.destroy()
  })

  it('a reader that takes too long for the whole room is cut off', async () => {
    const pages = { asked: 0, ended: false }
    const served = await serve({
      httpLimits: { maxAnswerMs: 200 },
      chat: () => ({ streamHistory: endless(pages) }),
    })
    const answer = await served.ask('/chat/history/7')
    const reading = async (): Promise<void> => {
      for await (const _piece of answer.body ?? []);
    }
    await expect(reading()).rejects.toThrow()
    await vi.waitFor(() => expect(pages.ended).toBe(true))
  })

  it('a user has so many whole rooms at once and not one more', async () => {
    const pages = { asked: 0, ended: false }
    const served = await serve({
      httpLimits: { maxRoomStreamsPerUser: 1, maxRoomStreams: 1 },
      chat: () => ({ streamHistory: endless(pages) }),
    })
    const gone = new AbortController()
    const first = await served.ask('/chat/history/7', { signal: gone.signal })
    expect(first.status).toBe(200)
    expect(await failure(await served.ask('/chat/history/7'))).toBe('429 CHAT-006')
    const bob = { headers: { authorization: 'Bearer bob-token' } }
    expect(await failure(await served.ask('/chat/history/7', bob))).toBe('503 CHAT-034')
    gone.abort()
    await vi.waitFor(async () => {
      const again = new AbortController()
      const answer = await served.ask('/chat/history/7', { signal: again.signal })
      again.abort()
      expect(answer.status).toBe(200)
    })
  })

  it.each(['', 'x', '07', '-1', '9007199254740992', '%00', '1%2F2'])(
    'room %s is 400 CHAT-003',
    async room => {
      const served = await serve()
      expect(await failure(await served.ask(`/chat/history/${room}`))).toBe('400 CHAT-003')
    },
  )
})

function page(): LoggedChat[] {
  return Array.from({ length: 100 }, (_, index) => ({
    _id: `id-${index}` as never,
    roomId: 7 as never,
    senderId: 'alice' as never,
    messageType: 'TEXT',
    content: 'x'.repeat(1_000),
    createdAt: 0,
    position: { epoch: 1, seq: index },
  }))
}

function endless(pages: { asked: number; ended: boolean }): StreamHistory {
  return async function* () {
    try {
      for (;;) {
        pages.asked += 1
        yield page()
      }
    } finally {
      pages.ended = true
    }
  }
}

function failingAfter(count: number): StreamHistory {
  return async function* () {
    for (let done = 0; done < count; done++) yield page()
    throw new ChatError('UNAVAILABLE', 'the history went away', { details: { waitsFor: 'history' } })
  }
}
