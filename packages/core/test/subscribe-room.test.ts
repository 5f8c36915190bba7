import { type RoomFeed, type User, userId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { Reader } from './simulation/reader.ts'
import { settle } from './simulation/stepped-clock.ts'
import { ALICE, BOB, ROOM, TestNode } from './simulation/test-node.ts'

const SMALL_WINDOW = { recentWindowBytes: 4 * 420 }

async function subscribe(
  node: TestNode,
  since?: number,
  user: User = ALICE,
): Promise<{ reader: Reader; feed: RoomFeed }> {
  const reader = new Reader(ROOM, 1_000)
  const options = since === undefined ? {} : { since: { epoch: 1, seq: since } }
  const feed = await node.chat.subscribe(user, ROOM, reader, options)
  reader.feed = feed
  return { reader, feed }
}

function read(reader: Reader): number[] {
  reader.read(1_000)
  return reader.seen.map(chat => chat.position.seq)
}

describe('subscribeRoom', () => {
  it('G6.0: head is −1 in an empty partition, and the place of the newest record later', async () => {
    const node = await TestNode.start()
    expect((await subscribe(node)).feed.start).toEqual({ asked: false, head: { epoch: 1, seq: -1 } })
    await node.sendMany('chat', 3)
    expect((await subscribe(node)).feed.start.head).toEqual({ epoch: 1, seq: 2 })
  })

  it('G6.1: nothing flows before the subscriber was told where it starts', async () => {
    const node = await TestNode.start()
    const { reader, feed } = await subscribe(node)
    await node.sendMany('chat', 2)
    expect(read(reader)).toEqual([])
    feed.open()
    await node.send('later')
    expect(read(reader)).toEqual([0, 1, 2])
  })

  it('G6.1: since is exclusive; the missed chats come first, then live ones', async () => {
    const node = await TestNode.start()
    await node.sendMany('chat', 5)
    const { reader, feed } = await subscribe(node, 2)
    expect(feed.start).toMatchObject({ asked: true, recovered: true, head: { epoch: 1, seq: 4 } })
    feed.open()
    await node.send('live')
    expect(read(reader)).toEqual([3, 4, 5])
  })

  it('G6.0: a reader of an empty room comes back with its head, −1, and misses nothing', async () => {
    const node = await TestNode.start()
    const { head } = (await subscribe(node)).feed.start
    await node.sendMany('chat', 2)
    const { reader, feed } = await subscribe(node, head.seq)
    expect(feed.start).toMatchObject({ asked: true, recovered: true })
    feed.open()
    expect(read(reader)).toEqual([0, 1])
  })

  it('G6.0: so it does when the chats are in the history alone', async () => {
    const node = await TestNode.start(SMALL_WINDOW)
    for (let index = 0; index < 12; index++) {
      await node.send(`chat-${index}`)
      await node.archive()
    }
    const { reader, feed } = await subscribe(node, -1)
    feed.open()
    await settle()
    expect(read(reader)).toEqual(Array.from({ length: 12 }, (_, index) => index))
  })

  it('G6.1: what the window has let go comes from the history', async () => {
    const node = await TestNode.start({ ...SMALL_WINDOW, recoveryPageChats: 2 })
    for (let index = 0; index < 12; index++) {
      await node.send(`chat-${index}`)
      await node.archive()
    }
    const { reader, feed } = await subscribe(node, 1)
    expect(feed.start).toMatchObject({ recovered: true })
    feed.open()
    await node.clock.advance(10)
    await node.send('live')
    expect(read(reader)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  it('G6.1: a position of another epoch is not recovered from', async () => {
    const node = await TestNode.start()
    const reader = new Reader(ROOM, 10)
    const feed = await node.chat.subscribe(ALICE, ROOM, reader, { since: { epoch: 7, seq: 0 } })
    expect(feed.start).toMatchObject({ recovered: false, reason: 'epoch' })
  })

  it('G6.1: recovered false sends none of the range, only what comes after head', async () => {
    const node = await TestNode.start({ recoveryMaxChats: 3 })
    await node.sendMany('chat', 5)
    const { reader, feed } = await subscribe(node, 0)
    expect(feed.start).toMatchObject({ recovered: false, reason: 'too-far', head: { epoch: 1, seq: 4 } })
    feed.open()
    await node.send('live')
    expect(read(reader)).toEqual([5])
    expect((await subscribe(node, 2)).feed.start).toMatchObject({ recovered: true })
  })

  it('G6.2: the limit counts what is in the history too', async () => {
    const node = await TestNode.start({ ...SMALL_WINDOW, recoveryMaxChats: 8 })
    for (let index = 0; index < 12; index++) {
      await node.send(`chat-${index}`)
      await node.archive()
    }
    expect((await subscribe(node, 3)).feed.start).toMatchObject({ recovered: true })
    expect((await subscribe(node, 2)).feed.start).toMatchObject({ recovered: false, reason: 'too-far' })
  })

  it('G4.1: what was evicted above the watermark makes a resume into it unavailable', async () => {
    const node = await TestNode.start(SMALL_WINDOW)
    await node.sendMany('chat', 12)
    const subscribing = subscribe(node, 0)
    await node.clock.advance(200)
    expect((await subscribing).feed.start).toMatchObject({ recovered: false, reason: 'unavailable' })
  })

  it('G6.1: a store that is away makes a resume below the window unavailable', async () => {
    const node = await TestNode.start(SMALL_WINDOW)
    await node.sendMany('chat', 12)
    node.history.isAway = true
    expect((await subscribe(node, 0)).feed.start).toMatchObject({ recovered: false, reason: 'unavailable' })
  })

  it('G6.0: since above the follower waits for it, in bounded time', async () => {
    const node = await TestNode.start()
    await node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: 'not followed yet' })
    const waiting = subscribe(node, 0)
    await settle()
    node.deliver()
    expect((await waiting).feed.start).toMatchObject({ recovered: true, head: { epoch: 1, seq: 0 } })
    const tooLong = subscribe(node, 9)
    await node.clock.advance(200)
    expect((await tooLong).feed.start).toMatchObject({ recovered: false, reason: 'unavailable' })
  })

  it('G4.3: a range lost to retention answers trimmed, also when it is in the store’s account only', async () => {
    const node = await TestNode.start()
    await node.sendMany('chat', 2)
    await node.archive()
    for (let index = 0; index < 3; index++) {
      await node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: `lost-${index}` })
    }
    const before = await subscribe(node)
    before.feed.open()
    node.log.trim(0, 4)
    node.deliver()
    expect(before.reader.endedBy).toBe('resume')
    expect((await subscribe(node, 1)).feed.start).toMatchObject({ recovered: false, reason: 'trimmed' })
    await node.archive()
    const later = await TestNode.start({}, {}, node)
    expect((await subscribe(later, 1)).feed.start).toMatchObject({ recovered: false, reason: 'trimmed' })
    expect((await subscribe(later, 3)).feed.start).toMatchObject({ recovered: true })
  })

  it('G4.3: a range that is lost while a resume looks at the store answers trimmed', async () => {
    const node = await TestNode.start(SMALL_WINDOW)
    for (let index = 0; index < 12; index++) {
      await node.send(`chat-${index}`)
      await node.archive()
    }
    node.history.isHeld = true
    const resuming = subscribe(node, 1)
    await settle()
    for (let index = 0; index < 3; index++)
      await node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: `lost-${index}` })
    node.log.trim(0, 14)
    node.deliver()
    node.history.release()
    await node.clock.advance(200)
    expect((await resuming).feed.start).toMatchObject({ recovered: false, reason: 'trimmed' })
  })

  it('G4.3: a slow catch-up ends at a range that was lost before it came there, and goes nowhere across it', async () => {
    const node = await TestNode.start({ ...SMALL_WINDOW, recoveryPageChats: 2 })
    for (let index = 0; index < 8; index++) {
      await node.send(`chat-${index}`)
      await node.archive()
    }
    const reader = new Reader(ROOM, 1)
    const feed = await node.chat.subscribe(ALICE, ROOM, reader, { since: { epoch: 1, seq: 0 } })
    reader.feed = feed
    expect(feed.start).toMatchObject({ recovered: true })
    feed.open()
    await node.clock.advance(10)
    // The window lets go of chats that the archive has not had, and retention takes them.
    await node.sendMany('lost', 10)
    node.log.trim(0, 12)
    await node.archive()
    for (let round = 0; round < 40; round++) {
      await node.clock.advance(1)
      reader.read(1)
    }
    expect(reader.endedBy).toBe('resume')
    const seen = reader.seen.map(chat => chat.position.seq)
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].slice(0, seen.length))
    expect((await subscribe(node, seen.at(-1))).feed.start).toMatchObject({ reason: 'trimmed' })
  })

  it('G6.2: a slow reader pulls its catch-up and is never given more than it takes', async () => {
    const node = await TestNode.start({ ...SMALL_WINDOW, recoveryPageChats: 5 })
    for (let index = 0; index < 20; index++) {
      await node.send(`chat-${index}`)
      await node.archive()
    }
    const reader = new Reader(ROOM, 3)
    const feed = await node.chat.subscribe(ALICE, ROOM, reader, { since: { epoch: 1, seq: -1 + 1 } })
    reader.feed = feed
    feed.open()
    for (let round = 0; round < 40; round++) {
      await node.clock.advance(1)
      reader.read(1)
    }
    expect(reader.seen.map(chat => chat.position.seq)).toEqual(
      Array.from({ length: 19 }, (_, index) => index + 1),
    )
  })

  it('a feed that is ended or closed gives nothing more', async () => {
    const node = await TestNode.start()
    const { reader, feed } = await subscribe(node)
    feed.open()
    await node.send('seen')
    feed.end('closed')
    feed.end('resume')
    await node.send('unseen')
    expect(read(reader)).toEqual([0])
    expect(reader.endedBy).toBeUndefined()
    expect(feed.hasEnded).toBe(true)
  })

  it('without the right to read there is no subscription', async () => {
    const access = {
      maxAgeMs: Number.POSITIVE_INFINITY,
      may: async (user: User) => user.userId !== BOB.userId,
    }
    const node = await TestNode.start({}, { access })
    await expect(subscribe(node, undefined, BOB)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(node.chat.history(BOB, { kind: 'latest', roomId: ROOM, limit: 1 })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    await expect(node.send('x', {}, BOB)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(node.chat.presence.whoIsIn(BOB, ROOM)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('G2.3: a log that the history was not filled from', () => {
  it('makes the node refuse sends and name the remedy, while reads go on', async () => {
    const node = await TestNode.start()
    await node.sendMany('chat', 3)
    await node.archive()
    const records = node.log.partitions[0]?.records ?? []
    records.length = 1
    const other = await TestNode.start({}, {}, node)
    expect(other.chat.status()).toMatchObject({
      state: 'refusing',
      problems: [expect.stringContaining('pnpm epoch bump')],
    })
    await expect(other.send('x')).rejects.toMatchObject({ code: 'UNAVAILABLE', outcome: 'rejected' })
    await expect(other.chat.history(ALICE, { kind: 'latest', roomId: ROOM, limit: 5 })).resolves.toBeDefined()
  })

  it('is noticed by the record at the watermark', async () => {
    const node = await TestNode.start()
    await node.sendMany('chat', 3)
    await node.archive()
    const records = node.log.partitions[0]?.records ?? []
    const third = records[2]
    if (third?.kind === 'chat') {
      records[2] = { ...third, chat: { ...third.chat, _id: 'another' as typeof third.chat._id } }
    }
    const other = await TestNode.start({}, {}, node)
    expect(other.chat.status().state).toBe('refusing')
  })

  it('is noticed by its identity', async () => {
    const node = await TestNode.start()
    await node.send('chat')
    await node.archive()
    Object.assign(node.log, { identity: { ...node.log.identity, clusterId: 'foreign' } })
    const other = await TestNode.start({}, {}, node)
    expect(other.chat.status().state).toBe('refusing')
  })
})

describe('rights that are revoked', () => {
  const watched = async (answer: {
    allowed: boolean | Error
  }): Promise<{ node: TestNode; reader: Reader }> => {
    const may = async (): Promise<boolean> => {
      if (answer.allowed instanceof Error) throw answer.allowed
      return answer.allowed
    }
    const node = await TestNode.start({}, { access: { maxAgeMs: 10_000, may }, accessStaleMaxMs: 60_000 })
    const { reader, feed } = await subscribe(node, undefined, { userId: userId('carol') })
    feed.open()
    return { node, reader }
  }

  it('G11.2: end the subscription within the access’s own age', async () => {
    const answer: { allowed: boolean | Error } = { allowed: true }
    const { node, reader } = await watched(answer)
    await node.clock.advance(30_000)
    expect(reader.endedBy).toBeUndefined()
    answer.allowed = false
    await node.clock.advance(11_000)
    expect(reader.endedBy).toBe('forbidden')
  })

  it('G11.2: a subscription outlives a check that cannot be made, up to its limit', async () => {
    const answer: { allowed: boolean | Error } = { allowed: true }
    const { node, reader } = await watched(answer)
    answer.allowed = new Error('the app is away')
    await node.clock.advance(50_000)
    expect(reader.endedBy).toBeUndefined()
    await node.clock.advance(30_000)
    expect(reader.endedBy).toBe('resume')
  })
})
