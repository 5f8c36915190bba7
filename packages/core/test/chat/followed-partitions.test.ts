import type { Chat, ChatId, RoomFeed } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { Reader } from '../simulation/reader.ts'
import { settle } from '../simulation/stepped-clock.ts'
import { ALICE, ROOM, TestNode } from '../simulation/test-node.ts'

const REST_MS = 1_000
const BEGIN_MS = 500

/** A node that has let its one partition go. */
async function leftNode(limits = {}): Promise<TestNode> {
  const node = await TestNode.start(
    { followRestMs: REST_MS, followBeginMs: BEGIN_MS, ...limits },
    { follow: 'interest' },
  )
  await node.sendMany('before', 2)
  await node.clock.advance(REST_MS)
  expect(node.log.isFollowed(0)).toBe(false)
  return node
}

/** Chats that another node has appended. */
function elsewhere(node: TestNode, name: string, count: number): void {
  for (let index = 0; index < count; index++) node.log.write(chatOf(`${name}-${index}`))
}

function chatOf(content: string): Chat {
  const _id = content as ChatId
  return { _id, roomId: ROOM, senderId: ALICE.userId, messageType: 'TEXT', content, createdAt: 1 }
}

function subscribe(node: TestNode, since?: number): { reader: Reader; subscribing: Promise<RoomFeed> } {
  const reader = new Reader(ROOM, 1_000)
  const options = since === undefined ? {} : { since: { epoch: 1, seq: since } }
  const subscribing = node.chat.subscribe(ALICE, ROOM, reader, options)
  return { reader, subscribing }
}

/** Whether the promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const note = (): void => {
    settled = true
  }
  promise.then(note, note)
  await settle()
  return settled
}

function contents(reader: Reader): string[] {
  reader.read(1_000)
  return reader.seen.map(({ content }) => content)
}

describe('WantedPartitions', () => {
  it('G4.2: by default no partition is ever left', async () => {
    const node = await TestNode.start({ followRestMs: REST_MS })
    await node.clock.advance(10 * REST_MS)
    expect(node.log.isFollowed(0)).toBe(true)
  })

  it('G4.2: a partition with a subscriber is not left, and the last one’s leaving gives it a rest first', async () => {
    const node = await TestNode.start({ followRestMs: REST_MS }, { follow: 'interest' })
    const feeds = [await subscribe(node).subscribing, await subscribe(node).subscribing]
    await node.clock.advance(10 * REST_MS)
    expect(node.log.isFollowed(0)).toBe(true)
    for (const feed of feeds) feed.end('closed')
    await node.clock.advance(REST_MS - 1)
    const again = await subscribe(node).subscribing
    await node.clock.advance(10 * REST_MS)
    expect(node.log.isFollowed(0)).toBe(true)
    again.end('closed')
    again.end('closed')
    await node.clock.advance(REST_MS)
    expect(node.log.isFollowed(0)).toBe(false)
  })

  it('G4.2: a SUBSCRIBE is answered after the head that the partition had; what this node sends after it comes', async () => {
    const node = await leftNode()
    elsewhere(node, 'missed', 3)
    node.log.isHeld = true
    const { reader, subscribing } = subscribe(node)
    const sending = node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: 'own' })
    expect(await isSettled(sending)).toBe(false)
    node.log.release()
    await sending
    node.log.deliver(0, 2)
    expect(await isSettled(subscribing)).toBe(false)
    node.log.deliver(0, 100)
    const feed = await subscribing
    expect(feed.start).toEqual({ asked: false, head: { epoch: 1, seq: 4 } })
    feed.open()
    elsewhere(node, 'live', 1)
    node.deliver()
    expect(contents(reader)).toEqual(['own', 'live-0'])
  })

  it('G4.2: who comes while a partition is being begun waits for the head of his own moment', async () => {
    const node = await leftNode()
    elsewhere(node, 'missed', 2)
    const first = subscribe(node)
    await settle()
    elsewhere(node, 'meanwhile', 2)
    const second = subscribe(node)
    node.log.deliver(0, 2)
    expect((await first.subscribing).start.head.seq).toBe(3)
    expect(await isSettled(second.subscribing)).toBe(false)
    node.deliver()
    await second.subscribing
  })

  it.each([
    { way: 'where it stopped', limits: {}, archived: false },
    { way: 'at the watermark, when much was skipped', limits: { dedupRecords: 3 }, archived: true },
  ])('G4.2: a resume over what was not followed gives all of it: $way', async ({ limits, archived }) => {
    const node = await leftNode(limits)
    elsewhere(node, 'missed', 12)
    if (archived) await node.archive()
    elsewhere(node, 'newest', 2)
    const { reader, subscribing } = subscribe(node, 1)
    await settle()
    node.deliver()
    const feed = await subscribing
    expect(feed.start).toMatchObject({ recovered: true, head: { epoch: 1, seq: 15 } })
    feed.open()
    await settle()
    elsewhere(node, 'live', 1)
    node.deliver()
    const missed = Array.from({ length: 12 }, (_, index) => `missed-${index}`)
    expect(contents(reader)).toEqual([...missed, 'newest-0', 'newest-1', 'live-0'])
  })

  it('G4.2: a partition that is begun anew at the watermark knows its repeats', async () => {
    const node = await leftNode({ dedupRecords: 3 })
    elsewhere(node, 'missed', 12)
    await node.archive()
    const { reader, subscribing } = subscribe(node)
    await settle()
    node.deliver()
    ;(await subscribing).open()
    node.log.write(chatOf('missed-11'))
    elsewhere(node, 'live', 1)
    node.deliver()
    expect(contents(reader)).toEqual(['live-0'])
  })

  it('G4.2: a partition that cannot be begun refuses a SUBSCRIBE as retryable, in bounded time, and the next one tries', async () => {
    const node = await leftNode()
    elsewhere(node, 'missed', 1)
    const late = subscribe(node).subscribing
    const refused = expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    await node.clock.advance(BEGIN_MS)
    await refused
    node.deliver()
    await node.clock.advance(REST_MS)
    expect(node.log.isFollowed(0)).toBe(false)
    node.log.isAway = true
    await expect(subscribe(node).subscribing).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    node.log.isAway = false
    await expect(subscribe(node).subscribing).resolves.toMatchObject({ start: { head: { seq: 2 } } })
  })

  it('G4.2: it begins without the history as long as little was skipped', async () => {
    const node = await leftNode()
    elsewhere(node, 'missed', 2)
    node.history.isAway = true
    const { reader, subscribing } = subscribe(node, 1)
    await settle()
    node.deliver()
    ;(await subscribing).open()
    expect(contents(reader)).toEqual(['missed-0', 'missed-1'])
  })

  it('G4.2, G5.1: a read begins what it needs, and says so when it cannot in time', async () => {
    const node = await leftNode()
    elsewhere(node, 'missed', 2)
    const request = { kind: 'latest', roomId: ROOM, limit: 3 } as const
    const late = node.chat.history(ALICE, request)
    await node.clock.advance(100)
    expect(await late).toMatchObject({ complete: false, head: { seq: 1 } })
    const reading = node.chat.history(ALICE, request)
    await settle()
    node.deliver()
    const page = await reading
    expect(page).toMatchObject({ complete: true, head: { seq: 3 } })
    expect(page.chats.map(({ content }) => content)).toEqual(['missed-1', 'missed-0', 'before-1'])
    await node.clock.advance(REST_MS)
    expect(node.log.isFollowed(0)).toBe(false)
  })

  it('G4.2, G3.3: a named send looks through what was not followed; others need nothing of it', async () => {
    const node = await leftNode()
    await node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: 'plain' })
    expect(node.log.isFollowed(0)).toBe(false)
    const draft = { clientMessageId: 'mine' }
    const first = await node.send('named', draft)
    node.deliver()
    await node.clock.advance(REST_MS)
    expect(node.log.isFollowed(0)).toBe(false)
    const again = await node.send('named', draft)
    expect(again).toMatchObject({ repeated: true, position: first.position })
    await node.clock.advance(REST_MS)
    const other = node.send('other content', draft)
    await expect(other).rejects.toMatchObject({ code: 'CONFLICT' })
    await node.clock.advance(REST_MS)
    node.log.isAway = true
    const refused = node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: 'named', ...draft })
    await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true, outcome: 'rejected' })
  })

  it('G2.3: a log that ends below where this node has followed it is noticed when the partition is begun', async () => {
    const node = await leftNode()
    node.log.partitions[0]?.records.splice(1)
    const refused = subscribe(node).subscribing.catch(() => undefined)
    await node.clock.advance(BEGIN_MS)
    await refused
    expect(node.chat.status()).toMatchObject({ state: 'refusing' })
  })

  it('G2.3: what is archived while a partition is being begun is no other log', async () => {
    const node = await leftNode({ dedupRecords: 3 })
    elsewhere(node, 'missed', 12)
    node.log.isHeld = true
    const { subscribing } = subscribe(node)
    elsewhere(node, 'meanwhile', 2)
    await node.archive()
    node.log.release()
    await settle()
    node.deliver()
    expect((await subscribing).start.head.seq).toBe(13)
    expect(node.chat.status()).toEqual({ state: 'ready' })
  })

  it('begins and leaves nothing more once the node was closed', async () => {
    const node = await leftNode()
    const closing = node.chat.close()
    await node.clock.advance(10_000)
    await closing
    await expect(subscribe(node).subscribing).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
