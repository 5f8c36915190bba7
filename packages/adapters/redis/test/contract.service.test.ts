import { type PresenceStoreHarness, testPresenceStore, testSessionPresence } from '@sgs-chat/contract'
import { manualClock } from '@sgs-chat/contract/fakes'
import { presenceRegistry } from '@sgs-chat/core'
import { describe } from 'vitest'
import { redisPresenceStore } from '../src/index.ts'
import { hasRedis, linkedUrl, testKeys } from './redis-fixture.ts'

async function createHarness(): Promise<PresenceStoreHarness> {
  const keys = await testKeys()
  const { link, url } = await linkedUrl()
  const store = await redisPresenceStore({ url, prefix: keys.prefix, timeoutMs: 500 })
  return {
    store,
    breakConnection: () => link.cut(),
    restoreConnection: () => link.mend(),
    dispose: async () => {
      await store.close()
      await link[Symbol.asyncDispose]()
      await keys[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(!hasRedis)('Redis', () => {
  testPresenceStore({ name: 'redis', create: createHarness })
  testSessionPresence({
    name: "core's registry over Redis",
    create: async () => {
      const { store, ...harness } = await createHarness()
      const registry = presenceRegistry({ store, clock: manualClock() })
      return {
        ...harness,
        presence: registry.ofNode({ id: 'node-1', incarnation: 'a' }),
        openAnother: async () => registry.ofNode({ id: 'node-2', incarnation: 'b' }),
      }
    },
  })
})
