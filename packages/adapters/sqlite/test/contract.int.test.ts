import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  type ChatHistoryHarness,
  type ChatLogHarness,
  testChatHistory,
  testChatLog,
} from '@sgs-chat/contract'
import type { ChatLog, Position } from '@sgs-chat/core'
import { type SqliteChatStore, sqliteChatStore } from '../src/index.ts'
import { temporaryFolder } from './store-fixture.ts'

/** A store that can be opened again, both halves of it at once. */
interface Reopenable {
  readonly path: string
  current: SqliteChatStore
  reopen(): Promise<SqliteChatStore>
}

async function openReopenable(): Promise<Reopenable> {
  const path = join(temporaryFolder(), 'chat.db')
  const open = (): Promise<SqliteChatStore> => sqliteChatStore({ path, keepRecords: 0 })
  const opened: Reopenable = {
    path,
    current: await open(),
    async reopen() {
      await opened.current.close()
      opened.current = await open()
      return opened.current
    },
  }
  return opened
}

/** Everything below `to` is archived, and the store keeps none of it. */
async function trim({ log, history }: SqliteChatStore, to: Position): Promise<void> {
  const watermark = { position: to, log: log.identity, fingerprint: 'trimmed', lost: [] }
  await history.advance(0, await history.watermark(0), watermark)
}

async function openBounded(): Promise<{ log: ChatLog; refused: number }> {
  const path = join(temporaryFolder(), 'bounded.db')
  const { log, history } = await sqliteChatStore({ path, maxPendingBytes: 20_000 })
  await history.close()
  return { log, refused: 1_000 }
}

async function createLogHarness(): Promise<ChatLogHarness> {
  const opened = await openReopenable()
  const { log } = opened.current
  const bounded: ChatLog[] = []
  let unblock = (): void => undefined
  return {
    log,
    reopen: async () => (await opened.reopen()).log,
    trim: (_partition, to) => trim(opened.current, to),
    openBounded: async () => {
      const opening = await openBounded()
      bounded.push(opening.log)
      return opening
    },
    // Somebody else holds the write lock of the file, as a tool of the operator may.
    breakConnection: async () => {
      const blocker = new DatabaseSync(opened.path)
      blocker.exec('BEGIN IMMEDIATE')
      unblock = () => blocker.close()
    },
    restoreConnection: async () => unblock(),
    dispose: async () => {
      await opened.current.close()
      for (const other of bounded) await other.close()
    },
  }
}

async function createHistoryHarness(): Promise<ChatHistoryHarness> {
  const opened = await openReopenable()
  return {
    history: opened.current.history,
    reopen: async () => (await opened.reopen()).history,
    dispose: () => opened.current.close(),
  }
}

const ONE_PROCESS = 'a second handle on the file is refused by design: one process has it'
const PLANTED =
  'nobody but this process writes the file; sqlite-chat-store.int.test.ts plants records between two starts'

testChatLog({
  name: 'sqlite',
  create: createLogHarness,
  skip: [
    { rule: 'L20', why: ONE_PROCESS },
    { rule: 'L22', why: PLANTED },
    { rule: 'L23', why: 'its seqs are dense' },
    { rule: 'L32', why: ONE_PROCESS },
    { rule: 'L39', why: `${ONE_PROCESS}; the ends of follow and consume are L21 and L34` },
  ],
})

testChatHistory({
  name: 'sqlite',
  create: createHistoryHarness,
  skip: [
    {
      rule: 'H21',
      why: 'a file that reads go on from when it cannot be written: sqlite-full-disk.int.test.ts',
    },
  ],
})
