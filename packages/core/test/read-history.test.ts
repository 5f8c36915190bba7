import type { HistoryPage, HistoryRequest, Position } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { settle } from './simulation/stepped-clock.ts'
import { ALICE, ROOM, TestNode } from './simulation/test-node.ts'

/** A window of about four of these chats. */
const SMALL_WINDOW = { recentWindowBytes: 4 * 420 }
const at = (seq: number): Position => ({ epoch: 1, seq })
const contents = (page: HistoryPage): string[] => page.chats.map(chat => chat.content.replace('chat-', ''))

type Part = HistoryRequest extends infer R ? (R extends HistoryRequest ? Omit<R, 'roomId'> : never) : never
const read = (node: TestNode, request: Part): Promise<HistoryPage> =>
  node.chat.history(ALICE, { roomId: ROOM, ...request } as HistoryRequest)

async function tenChats(limits = {}): Promise<TestNode> {
  const node = await TestNode.start({ ...SMALL_WINDOW, ...limits })
  for (let index = 0; index < 10; index++) {
    await node.send(`chat-${index}`)
    await node.archive()
  }
  return node
}

describe('readHistory', () => {
  it('G5.1: a chat is readable as soon as it is acknowledged, archived or not', async () => {
    const node = await TestNode.start()
    await node.sendMany('chat', 3)
    expect(contents(await read(node, { kind: 'latest', limit: 10 }))).toEqual(['2', '1', '0'])
  })

  it('joins the history and the window, newest first, and says whether there is more', async () => {
    const node = await tenChats()
    const page = await read(node, { kind: 'latest', limit: 7 })
    expect(contents(page)).toEqual(['9', '8', '7', '6', '5', '4', '3'])
    expect(page).toMatchObject({ hasOlder: true, complete: true, head: at(9) })
    expect(await read(node, { kind: 'latest', limit: 10 })).toMatchObject({ hasOlder: false })
  })

  it('G5.2: cursor reads never drift while chats arrive', async () => {
    const node = await tenChats()
    const first = await read(node, { kind: 'latest', limit: 4 })
    await node.sendMany('new', 3)
    const next = await read(node, { kind: 'before', position: first.chats[3]?.position ?? at(0), limit: 4 })
    expect([...contents(first), ...contents(next)]).toEqual(['9', '8', '7', '6', '5', '4', '3', '2'])
  })

  it('after and around read towards the newest, in both halves of the past', async () => {
    const node = await tenChats()
    const after = await read(node, { kind: 'after', position: at(2), limit: 3 })
    expect(contents(after)).toEqual(['5', '4', '3'])
    expect(after).toMatchObject({ hasNewer: true })
    expect(contents(await read(node, { kind: 'after', position: at(7), limit: 3 }))).toEqual(['9', '8'])
    const around = await read(node, { kind: 'around', position: at(5), limit: 5 })
    expect(contents(around)).toEqual(['7', '6', '5', '4', '3'])
    expect(around).toMatchObject({ hasNewer: true, hasOlder: true })
  })

  it('G5.2: page and size are stable when until is given again', async () => {
    const node = await tenChats()
    const first = await read(node, { kind: 'page', page: 1, size: 4 })
    await node.sendMany('new', 5)
    await node.archive()
    const { head: until } = first
    const second = await read(node, { kind: 'page', page: 2, size: 4, until })
    const third = await read(node, { kind: 'page', page: 3, size: 4, until })
    expect([...contents(first), ...contents(second), ...contents(third)]).toEqual('9876543210'.split(''))
    expect(third.hasOlder).toBe(false)
    expect(contents(await read(node, { kind: 'page', page: 4, size: 4, until }))).toEqual([])
  })

  it.each([
    { kind: 'latest', limit: 0 },
    { kind: 'latest', limit: 6 },
    { kind: 'latest', limit: 1.5 },
    { kind: 'page', page: 0, size: 5 },
    { kind: 'page', page: 5, size: 5 },
    { kind: 'page', page: 1, size: 6 },
    { kind: 'page', page: Number.NaN, size: 1 },
  ] as const)('G5.2: %j is out of range', async request => {
    const node = await TestNode.start({ maxPageChats: 5, historyMaxSkip: 20 })
    await expect(read(node, request)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await expect(read(node, { kind: 'page', page: 4, size: 5 })).resolves.toBeDefined()
  })

  it('G5.1: a read on another node waits for min, and says so when it does not come', async () => {
    const node = await TestNode.start()
    const other = await TestNode.start({}, {}, node)
    await node.send('chat-0')
    const reading = read(other, { kind: 'latest', limit: 5, min: at(1) })
    await other.clock.advance(200)
    expect(await reading).toMatchObject({ complete: false })
  })

  it('G5.2: a page ends above a gap with complete false, and a cursor below it is refused', async () => {
    const node = await TestNode.start(SMALL_WINDOW)
    await node.sendMany('chat', 10)
    const reading = read(node, { kind: 'latest', limit: 10 })
    await node.clock.advance(200)
    const page = await reading
    expect(page).toMatchObject({ complete: false, hasOlder: true })
    expect(contents(page)).toEqual(['9', '8', '7', '6'].slice(0, page.chats.length))
    const below = read(node, { kind: 'before', position: at(3), limit: 2 })
    const refused = expect(below).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    await node.clock.advance(200)
    await refused
    await node.archive()
    expect(contents(await read(node, { kind: 'before', position: at(3), limit: 2 }))).toEqual(['2', '1'])
  })

  it('G4.3: what this follower lost and another node archived is read from the history, not joined across', async () => {
    const node = await TestNode.start()
    await node.sendMany('chat', 2)
    for (let index = 2; index < 5; index++)
      await node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: `chat-${index}` })
    await node.archive()
    node.log.trim(0, 4)
    node.deliver()
    const page = await read(node, { kind: 'latest', limit: 10 })
    expect(page).toMatchObject({ complete: true, hasOlder: false })
    expect(contents(page)).toEqual(['4', '3', '2', '1', '0'])
  })

  it('G5.2: a cursor below what was archived is answered, gap above it or not', async () => {
    const node = await TestNode.start(SMALL_WINDOW)
    await node.sendMany('chat', 4)
    await node.archive()
    await node.sendMany('chat', 10)
    const page = await read(node, { kind: 'before', position: at(4), limit: 2 })
    expect(contents(page)).toEqual(['3', '2'])
    expect(page).toMatchObject({ complete: true, hasOlder: true })
  })

  it('G5.2: a cursor above what this node has followed waits for it, and leaves nothing out below itself', async () => {
    const node = await TestNode.start()
    const other = await TestNode.start({}, {}, node)
    for (let index = 0; index < 3; index++) {
      await node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: `chat-${index}` })
    }
    const late = [
      read(other, { kind: 'before', position: at(2), limit: 2 }),
      read(other, { kind: 'page', page: 1, size: 2, until: at(1) }),
      read(other, { kind: 'around', position: at(1), limit: 2 }),
    ]
    await other.clock.advance(200)
    for (const page of late) expect(await page).toMatchObject({ chats: [], complete: false })
    const waiting = read(other, { kind: 'before', position: at(2), limit: 2 })
    await settle()
    other.deliver()
    expect(contents(await waiting)).toEqual(['1', '0'])
    const beyond = await read(other, { kind: 'before', position: at(1_000), limit: 5 })
    expect(beyond).toMatchObject({ complete: true, hasOlder: false })
    expect(contents(beyond)).toEqual(['2', '1', '0'])
  })

  it('G5.2: a gap that the archive closes in time is waited for', async () => {
    const node = await TestNode.start(SMALL_WINDOW)
    await node.sendMany('chat', 10)
    const reading = read(node, { kind: 'latest', limit: 10 })
    await settle()
    await node.archive()
    await node.clock.advance(60)
    expect(await reading).toMatchObject({ complete: true })
    expect((await reading).chats).toHaveLength(10)
  })

  it('what the window holds is answered while the store is away; what it does not hold fails', async () => {
    const node = await tenChats()
    node.history.isAway = true
    expect(contents(await read(node, { kind: 'latest', limit: 2 }))).toEqual(['9', '8'])
    await expect(read(node, { kind: 'latest', limit: 9 })).rejects.toThrow('the store is away')
  })

  it('G5.3: a whole room is streamed newest first, page by page, and fails rather than leave a gap', async () => {
    const node = await tenChats({ maxPageChats: 3 })
    const seen: string[] = []
    for await (const chats of node.chat.streamHistory(ALICE, ROOM)) {
      expect(chats.length).toBeLessThanOrEqual(3)
      seen.push(...chats.map(chat => chat.content.replace('chat-', '')))
    }
    expect(seen).toEqual('9876543210'.split(''))
    node.history.isAway = true
    const streaming = Array.fromAsync(node.chat.streamHistory(ALICE, ROOM))
    await expect(streaming).rejects.toThrow('the store is away')
  })

  it('G3.4: a chat that came again from far away is in one page only once', async () => {
    const node = await TestNode.start({ ...SMALL_WINDOW, dedupRecords: 3 })
    const [first] = await node.sendMany('chat', 8)
    await node.archive()
    if (first !== undefined) node.log.write(first.chat)
    node.deliver()
    const page = await read(node, { kind: 'latest', limit: 10 })
    expect(contents(page)).toEqual(['0', '7', '6', '5', '4', '3', '2', '1'])
    await node.archive()
    await node.sendMany('filler', 10)
    await node.archive()
    const whole = await read(node, { kind: 'latest', limit: 30 })
    expect(contents(whole).slice(-8)).toEqual(['7', '6', '5', '4', '3', '2', '1', '0'])
  })

  it('G3.4: so is one whose records are both in the window, and what lies below is not forgotten', async () => {
    const node = await TestNode.start({ dedupRecords: 3 })
    const [first] = await node.sendMany('chat', 8)
    if (first !== undefined) node.log.write(first.chat)
    node.deliver()
    expect(contents(await read(node, { kind: 'latest', limit: 10 }))).toEqual([
      '0',
      '7',
      '6',
      '5',
      '4',
      '3',
      '2',
      '1',
    ])
    expect(await read(node, { kind: 'around', position: at(4), limit: 10 })).toMatchObject({
      chats: { length: 8 },
      hasOlder: false,
      hasNewer: false,
    })
  })

  it('G3.4: a page that leaves a chat out because it shows it already says that there is more below', async () => {
    const node = await TestNode.start({ ...SMALL_WINDOW, dedupRecords: 3 })
    const chats = await node.sendMany('chat', 8)
    await node.archive()
    const second = chats[2]
    if (second !== undefined) node.log.write(second.chat)
    node.deliver()
    const page = await read(node, { kind: 'latest', limit: 7 })
    expect(contents(page)).toEqual(['2', '7', '6', '5', '4', '3'])
    expect(page.hasOlder).toBe(true)
    const position = page.chats.at(-1)?.position ?? at(0)
    expect(contents(await read(node, { kind: 'before', position, limit: 7 }))).toEqual(['2', '1', '0'])
    const after = await read(node, { kind: 'after', position: at(1), limit: 6 })
    expect(after.hasNewer).toBe(true)
  })
})
