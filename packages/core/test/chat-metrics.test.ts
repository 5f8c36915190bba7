import { recordingMeter } from '@sgs-chat/contract/fakes'
import { describe, expect, it } from 'vitest'
import { Reader } from './simulation/reader.ts'
import { settle } from './simulation/stepped-clock.ts'
import { ALICE, ROOM, TestNode } from './simulation/test-node.ts'

describe('what a node counts', () => {
  it('M1: sends by how they ended, deliveries, and what is not in the history yet', async () => {
    const meter = recordingMeter()
    const node = await TestNode.start({}, { meter })
    const reader = new Reader(ROOM, 1_000)
    const feed = await node.chat.subscribe(ALICE, ROOM, reader)
    feed.open()
    await node.send('one', { clientMessageId: 'a' })
    await node.send('one', { clientMessageId: 'a' })
    await expect(node.send('x', { senderId: 'mallory' as typeof ALICE.userId })).rejects.toThrow('senderId')
    await settle()
    expect(meter.value('chat_sends_total', { result: 'new' })).toBe(1)
    expect(meter.value('chat_sends_total', { result: 'repeat' })).toBe(1)
    expect(meter.value('chat_sends_total', { result: 'FORBIDDEN' })).toBe(1)
    expect(meter.recorded('chat_send_to_append_seconds')).toHaveLength(2)
    expect(meter.value('chat_delivered_total')).toBe(1)
    expect(meter.recorded('chat_append_to_deliver_seconds')).toHaveLength(1)
    expect(meter.value('chat_sends_pending')).toBe(0)
  })

  it('M1: chats on their way into the history, and how long that took', async () => {
    const meter = recordingMeter()
    const node = await TestNode.start({}, { meter })
    await node.archive()
    await node.sendMany('chat', 3)
    expect(meter.value('chat_archive_lag_records')).toBe(3)
    await node.clock.advance(2_000)
    await node.archive()
    expect(meter.value('chat_archive_lag_records')).toBe(0)
    expect(meter.value('chat_archived_total')).toBe(3)
    expect(meter.recorded('chat_append_to_archive_seconds')).toEqual([2, 2, 2])
  })

  it('M1: resumes by their result, and feeds that ended by themselves', async () => {
    const meter = recordingMeter()
    const node = await TestNode.start({ recoveryMaxChats: 2 }, { meter })
    await node.sendMany('chat', 5)
    const since = async (seq: number): Promise<void> => {
      const feed = await node.chat.subscribe(ALICE, ROOM, new Reader(ROOM, 10), { since: { epoch: 1, seq } })
      feed.open()
      feed.end('forbidden')
    }
    await since(3)
    await since(0)
    expect(meter.value('chat_resumes_total', { result: 'recovered' })).toBe(1)
    expect(meter.value('chat_resumes_total', { result: 'too-far' })).toBe(1)
    expect(meter.value('chat_feeds_ended_total', { reason: 'forbidden' })).toBe(2)
  })
})
