import { type ChatLogHarness, testChatLog } from '@sgs-chat/contract'
import { type MemoryChatLog, type MemoryLogStorageOptions, memoryChatLog } from '@sgs-chat/memory'

async function harnessOf(options: MemoryLogStorageOptions): Promise<ChatLogHarness> {
  const log = memoryChatLog({ ...options, maxBatchRecords: 64, retryMs: 1 })
  const opened: MemoryChatLog[] = [log]
  const openAnother = async (): Promise<MemoryChatLog> => {
    const another = memoryChatLog({ storage: log.storage })
    opened.push(another)
    return another
  }
  return {
    log,
    openAnother,
    reopen: openAnother,
    plantUnknown: async (roomId, name) => log.plantUnknown(log.partitionOf(roomId), name),
    skipOffsets: async (partition, count) => log.skipOffsets(partition, count),
    trim: async (partition, to) => log.trim(partition, to),
    breakConnection: async () => log.disconnect(),
    restoreConnection: async () => log.reconnect(),
    openBounded: async () => {
      const bounded = memoryChatLog({ ...options, maxPendingChats: 10 })
      opened.push(bounded)
      return { log: bounded, refused: 11 }
    },
    dispose: async () => {
      for (const handle of opened) await handle.close()
    },
  }
}

testChatLog({ name: 'memory', create: () => harnessOf({}) })
testChatLog({ name: 'memory, 5 partitions, epoch 12', create: () => harnessOf({ partitions: 5, epoch: 12 }) })
