import { type ChatLogHarness, testChatLog } from '@sgs-chat/contract'
import type { KafkaChatLogOptions } from '@sgs-chat/kafka'
import { describe } from 'vitest'
import { BrokerProxy } from './broker-proxy.ts'
import { KafkaFixture, service } from './kafka-fixture.ts'

async function harnessOf(options: Partial<KafkaChatLogOptions>): Promise<ChatLogHarness> {
  const fixture = new KafkaFixture()
  const proxy = await BrokerProxy.open(fixture.brokers)
  const log = await fixture.open({ ...options, route: proxy.route, appendTimeoutMs: 2_000 })
  return {
    log,
    openAnother: () => fixture.open(options),
    reopen: () => fixture.open(options),
    plantUnknown: async (roomId, name) => {
      const partition = log.partitionOf(roomId)
      const record = { key: String(roomId), value: '{"later":"version"}', headers: { kind: name } }
      return { epoch: log.identity.epoch, seq: await fixture.plant(partition, record) }
    },
    skipOffsets: (partition, count) => fixture.skipOffsets(partition, count),
    trim: (partition, to) => fixture.trim(partition, to),
    breakConnection: async () => proxy.cut(),
    restoreConnection: async () => proxy.restore(),
    openBounded: async () => {
      const bounded = await fixture.open({ ...options, maxPendingBytes: 3_000 })
      return { log: bounded, refused: 30 }
    },
    dispose: async () => {
      await fixture[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

const patience = { patienceMs: 20_000, deadlineMs: 60_000 }

describe.skipIf(service === undefined)('the port', () => {
  testChatLog({ name: 'kafka', create: () => harnessOf({ partitions: 1 }), ...patience })

  const epochs = [{ epoch: 12, partitions: 5, first: [0, 0, 0, 0, 0] }]
  testChatLog({
    name: 'kafka, 5 partitions, epoch 12',
    create: () => harnessOf({ partitions: 5, epochs }),
    ...patience,
  })
})
