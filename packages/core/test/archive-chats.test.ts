import type { ChatId, LogRecord, Watermark } from '@sgs-chat/core'
import { silentLogger, silentMeter, withDefaultLimits } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { ArchiveChats } from '../src/chat/archive-chats.ts'
import { ChatMetrics } from '../src/chat/chat-metrics.ts'
import { logMismatch } from '../src/chat/log-mismatch.ts'
import { SteppedClock, settle } from './simulation/stepped-clock.ts'
import { SteppedHistory } from './simulation/stepped-history.ts'
import { ALICE, ROOM } from './simulation/test-node.ts'

const LOG = { clusterId: 'c', topic: 't', partitions: 1, epoch: 1 }
const at = (seq: number): { epoch: number; seq: number } => ({ epoch: 1, seq })

function records(from: number, to: number): LogRecord[] {
  return Array.from({ length: to - from }, (_, index) => {
    const position = at(from + index)
    const chat = {
      _id: `chat-${from + index}` as ChatId,
      roomId: ROOM,
      senderId: ALICE.userId,
      messageType: 'TEXT',
    }
    return { kind: 'chat', position, chat: { ...chat, content: 'x', createdAt: 1, position } }
  })
}

const batch = (from: number, to: number) => ({ from: at(from), records: records(from, to), next: at(to) })

function archiver(history: SteppedHistory, archiveRestMs = 0, clock = new SteppedClock()) {
  const mismatches: string[] = []
  const archive = new ArchiveChats({
    history,
    log: LOG,
    limits: withDefaultLimits({ archiveBatchChats: 4, archiveRestMs }),
    clock,
    logger: silentLogger,
    metrics: new ChatMetrics(silentMeter),
    archived: () => {},
    mismatch: (_partition, description) => mismatches.push(description),
  })
  return { archive, mismatches, clock }
}

describe('archiveChats', () => {
  it('G4.3: the watermark moves after the batch that begins right above it, and never down', async () => {
    const history = new SteppedHistory()
    const { archive } = archiver(history)
    expect(await archive.start(0, {})).toBeUndefined()
    await archive.batch(0, batch(0, 6), {})
    await archive.batch(0, batch(2, 6), {})
    expect((await history.watermark(0))?.position).toEqual(at(5))
    expect(await archive.start(0, {})).toEqual(at(5))
    await expect(archive.batch(0, batch(7, 9), {})).rejects.toThrow('assigned anew')
    expect((await history.watermark(0))?.position).toEqual(at(5))
  })

  it('G2.2: offsets without a record between batches are no gap', async () => {
    const history = new SteppedHistory()
    const { archive } = archiver(history)
    await archive.start(0, {})
    await archive.batch(0, batch(0, 2), {})
    await archive.batch(0, { from: at(2), records: [], next: at(5) }, {})
    await archive.batch(0, batch(5, 6), {})
    expect((await history.watermark(0))?.position).toEqual(at(5))
    await archive.batch(0, { from: at(6), records: [], next: at(9) }, {})
    await expect(archive.batch(0, batch(10, 11), {})).rejects.toThrow('assigned anew')
    await archive.start(0, {})
    await expect(archive.batch(0, batch(9, 10), {})).rejects.toThrow('assigned anew')
  })

  it('G4.3: offsets without a record at the beginning are nothing that was lost; what lies below them is', async () => {
    const [whole, trimmed] = [new SteppedHistory(), new SteppedHistory()]
    for (const [history, first] of [
      [whole, 0],
      [trimmed, 2],
    ] as const) {
      const { archive } = archiver(history)
      await archive.start(0, {})
      await archive.batch(0, { from: at(first), records: [], next: at(4) }, {})
      await archive.batch(0, batch(4, 6), {})
    }
    expect((await whole.watermark(0))?.lost).toEqual([])
    expect((await trimmed.watermark(0))?.lost).toEqual([{ from: at(0), to: at(2) }])
  })

  it('G4.3: a partition that was taken away is waited for no more, and is when it is given back', async () => {
    const { archive } = archiver(new SteppedHistory())
    const [first, second] = [new AbortController(), new AbortController()]
    await archive.start(0, first)
    expect(archive.hasDone(0, at(0))).toBe(false)
    first.abort()
    expect(archive.hasDone(0, at(0))).toBe(true)
    expect([...archive.archivedUpTo]).toEqual([])
    await archive.start(0, second)
    expect(archive.hasDone(0, at(0))).toBe(false)
    expect([...archive.archivedUpTo]).toEqual([[0, undefined]])
    second.abort()
    await archive.start(0, { signal: second.signal })
    expect(archive.hasDone(0, at(0))).toBe(true)
  })

  it('G2.2: a miss of the compare-and-set makes the archiver read the watermark again', async () => {
    const history = new SteppedHistory()
    const [one, other] = [archiver(history), archiver(history)]
    await one.archive.start(0, {})
    await other.archive.start(0, {})
    await one.archive.batch(0, batch(0, 3), {})
    await expect(other.archive.batch(0, batch(0, 2), {})).rejects.toThrow('another member')
    expect(await other.archive.start(0, {})).toEqual(at(2))
    await other.archive.batch(0, batch(2, 5), {})
    expect((await history.watermark(0))?.position).toEqual(at(4))
  })

  it('a store that is away is tried again with growing waits, and loses nothing', async () => {
    const history = new SteppedHistory()
    const { archive, clock } = archiver(history)
    await archive.start(0, {})
    history.isAway = true
    const archiving = archive.batch(0, batch(0, 3), {})
    await clock.advance(20_000)
    history.isAway = false
    await clock.advance(10_000)
    await archiving
    expect((await history.watermark(0))?.position).toEqual(at(2))
  })

  it('a partition that is taken away stops the tries', async () => {
    const history = new SteppedHistory()
    const { archive, clock } = archiver(history)
    await archive.start(0, {})
    history.isAway = true
    const taken = new AbortController()
    const archiving = archive.batch(0, batch(0, 3), { signal: taken.signal })
    const stopped = expect(archiving).rejects.toThrow('the store is away')
    await settle()
    taken.abort()
    await clock.advance(1)
    await stopped
  })

  it('G2.3: a record at the watermark that is another one is a mismatch', async () => {
    const history = new SteppedHistory()
    const { archive, mismatches } = archiver(history)
    await archive.start(0, {})
    await archive.batch(0, batch(0, 3), {})
    await archive.start(0, {})
    const [record] = records(2, 3)
    const foreign =
      record?.kind === 'chat' ? { ...record, chat: { ...record.chat, _id: 'foreign' as ChatId } } : record
    if (foreign === undefined) throw new Error('there is a record')
    await expect(archive.batch(0, { from: at(2), records: [foreign], next: at(3) }, {})).rejects.toThrow(
      'not the one',
    )
    expect(mismatches).toHaveLength(1)
  })

  it('G4.3: a range that was lost is recorded, once', async () => {
    const history = new SteppedHistory()
    const { archive } = archiver(history)
    await archive.start(0, {})
    await archive.batch(0, batch(0, 3), {})
    await archive.lost(0, { from: at(3), to: at(6) }, {})
    await archive.lost(0, { from: at(3), to: at(6) }, {})
    await archive.batch(0, batch(6, 8), {})
    expect(await history.watermark(0)).toMatchObject({ position: at(7), lost: [{ from: at(3), to: at(6) }] })
  })

  it('rests after a save that took all there was, until somebody waits for it', async () => {
    const history = new SteppedHistory()
    const { archive, clock } = archiver(history, 100)
    await archive.start(0, {})
    await archive.batch(0, batch(0, 4), {})
    let rested = 0
    const archiving = archive.batch(0, batch(4, 6), {}).then(() => rested++)
    await clock.advance(99)
    expect((await history.watermark(0))?.position).toEqual(at(5))
    expect(rested).toBe(0)
    await clock.advance(1)
    await archiving
    const hurried = archive.batch(0, batch(6, 7), {})
    await settle()
    archive.hurry()
    await hurried
    await archive.batch(0, batch(7, 8), {})
    expect((await history.watermark(0))?.position).toEqual(at(7))
  })

  it('records of an unknown kind are passed, and move the watermark', async () => {
    const history = new SteppedHistory()
    const { archive } = archiver(history)
    await archive.start(0, {})
    const unknown: LogRecord = { kind: 'unknown', position: at(0), name: 'edit' }
    await archive.batch(0, { from: at(0), records: [unknown], next: at(1) }, {})
    expect(await history.watermark(0)).toMatchObject({ position: at(0), fingerprint: 'kind:edit' })
    expect(await archive.start(0, {})).toEqual(at(0))
    await archive.batch(0, { from: at(0), records: [unknown, ...records(1, 3)], next: at(3) }, {})
    expect((await history.watermark(0))?.position).toEqual(at(2))
  })
})

describe('logMismatch', () => {
  const watermark: Watermark = { position: at(5), log: LOG, fingerprint: 'x', lost: [] }

  it.each([
    ['the same log', LOG, { first: at(0), next: at(6) }, undefined],
    ['a log that ends below', LOG, { first: at(0), next: at(5) }, 'ends below'],
    ['another cluster', { ...LOG, clusterId: 'd' }, undefined, 'another log'],
    ['another topic', { ...LOG, topic: 'u' }, undefined, 'another log'],
    ['more partitions', { ...LOG, partitions: 2 }, undefined, 'partitions'],
    ['more partitions under a new epoch', { ...LOG, partitions: 2, epoch: 2 }, undefined, undefined],
    ['an older epoch', { ...LOG, epoch: 0 }, undefined, 'older'],
    [
      'a new epoch that starts over',
      { ...LOG, epoch: 2 },
      { first: { epoch: 2, seq: 0 }, next: { epoch: 2, seq: 0 } },
      undefined,
    ],
  ] as const)('G2.3: %s', (_name, log, range, expected) => {
    const problem = logMismatch(watermark, log, range)
    if (expected === undefined) expect(problem).toBeUndefined()
    else {
      expect(problem).toContain(expected)
      expect(problem).toContain('pnpm epoch bump')
    }
  })
})
