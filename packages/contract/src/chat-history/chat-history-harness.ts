import assert from 'node:assert/strict'
import type { ChatHistory, HistoryQuery, LoggedChat, Position, RoomId, Watermark } from '@sgs-chat/core'
import { place } from '../assertions.ts'
import type { Harness } from '../rule.ts'
import { freshName } from '../samples.ts'

/** A history for one rule, and what the rule may do to it. What an adapter cannot offer it leaves out, and skips. */
export interface ChatHistoryHarness extends Harness {
  readonly history: ChatHistory
  /** Opens the history again, with all it held, after `history.close()`. The harness closes it. */
  readonly reopen?: () => Promise<ChatHistory>
  readonly breakConnection?: () => Promise<void>
  readonly restoreConnection?: () => Promise<void>
  /** A partition without a watermark. @default 0, 1, … of a harness that begins empty */
  readonly freshPartition?: () => number
}

export function freshPartition({ freshPartition: fresh }: ChatHistoryHarness, index = 0): number {
  return fresh?.() ?? index
}

/** The room's chats as ids, by the query. */
export async function readIds(
  history: ChatHistory,
  roomId: RoomId,
  query: Partial<HistoryQuery> = {},
): Promise<readonly string[]> {
  const chats = await history.read({ roomId, order: 'oldest-first', limit: 1_000, ...query })
  return chats.map(({ _id }) => _id)
}

export function idsOf(chats: readonly LoggedChat[]): readonly string[] {
  return chats.map(({ _id }) => _id)
}

/** The same values, whatever objects carry them; other keys than a chat's own stay, and differ. */
export function assertSameChats(actual: readonly LoggedChat[], expected: readonly LoggedChat[]): void {
  const plain = (chat: LoggedChat): unknown => ({ ...chat, position: place(chat.position) })
  assert.deepEqual(actual.map(plain), expected.map(plain))
}

export function sampleWatermark(position: Position, changes: Partial<Watermark> = {}): Watermark {
  const log = { clusterId: 'cluster', topic: 'sgs-chat-log', partitions: 3, epoch: position.epoch }
  return { position, log, fingerprint: freshName('fingerprint'), lost: [], ...changes }
}

export function assertSameWatermark(actual: Watermark | undefined, expected: Watermark | undefined): void {
  assert.deepEqual(plainWatermark(actual), plainWatermark(expected))
}

function plainWatermark(watermark: Watermark | undefined): unknown {
  if (watermark === undefined) return undefined
  const { position, log, fingerprint, lost } = watermark
  const { clusterId, topic, partitions, epoch } = log
  return {
    position: place(position),
    log: { clusterId, topic, partitions, epoch },
    fingerprint,
    lost: lost.map(({ from, to }) => ({ from: place(from), to: place(to) })),
  }
}
