import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Chat, ChatId, ChatLog, LogBatch, LogRecord, Position, RoomId, UserId } from '@sgs-chat/core'
import { onTestFinished } from 'vitest'
import { type SqliteChatStore, type SqliteChatStoreOptions, sqliteChatStore } from '../src/index.ts'

export const BEGINNING: Position = { epoch: 1, seq: 0 }

/** A folder for one test, gone after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sgs-chat-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function openStore(options: SqliteChatStoreOptions): Promise<SqliteChatStore> {
  const store = await sqliteChatStore(options)
  onTestFinished(() => store.close())
  return store
}

export function chatOf(id: string, content = `content of ${id}`, roomId = 1): Chat {
  return {
    _id: id as ChatId,
    roomId: roomId as RoomId,
    senderId: 'alice' as UserId,
    messageType: 'TEXT',
    content,
    createdAt: 1_760_000_000_000,
  }
}

export function idsOf(records: readonly LogRecord[]): readonly string[] {
  return records.map(record => (record.kind === 'chat' ? record.chat._id : record.name))
}

/** Everything of the log from a place on, up to the end it has now. */
export async function readLog(log: ChatLog, from: Position = BEGINNING): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = []
  const [range] = await log.ranges()
  const end = range?.next.seq ?? 0
  if (from.seq >= end) return records
  await new Promise<void>((resolve, reject) => {
    let next = from
    const followed = log.follow([from], {
      batch(_partition, batch: LogBatch) {
        if (batch.from.seq !== next.seq) reject(new Error(`a gap at ${batch.from.seq}, expected ${next.seq}`))
        records.push(...batch.records)
        next = batch.next
        if (next.seq >= end) resolve(followed.then(closeable => closeable.close()))
      },
      lost(_partition, range) {
        next = range.to
      },
    })
  })
  return records
}
