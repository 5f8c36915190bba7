import { type ChatHistoryHarness, testChatHistory } from '@sgs-chat/contract'
import type { ChatHistory } from '@sgs-chat/core'
import { describe } from 'vitest'
import { mongodbChatHistory } from '../src/index.ts'
import { hasMongodb, linkedUrl, testDatabase } from './mongodb-fixture.ts'

async function createHarness(): Promise<ChatHistoryHarness> {
  const database = await testDatabase()
  const { link, url } = await linkedUrl()
  const opened: ChatHistory[] = []
  const open = async (): Promise<ChatHistory> => {
    const history = await mongodbChatHistory({ url, database: database.name, selectionTimeoutMs: 1_000 })
    opened.push(history)
    return history
  }
  return {
    history: await open(),
    reopen: open,
    breakConnection: () => link.cut(),
    restoreConnection: () => link.mend(),
    dispose: async () => {
      for (const history of opened) await history.close()
      await link[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(!hasMongodb)('MongoDB', () => testChatHistory({ name: 'mongodb', create: createHarness }))
