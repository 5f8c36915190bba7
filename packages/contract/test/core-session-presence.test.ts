import { testSessionPresence } from '@sgs-chat/contract'
import { manualClock } from '@sgs-chat/contract/fakes'
import { embeddedPresence, presenceRegistry } from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'

testSessionPresence({
  name: "core's registry over the memory store",
  create: async () => {
    const store = memoryPresenceStore()
    const clock = manualClock()
    const registry = presenceRegistry({ store, clock })
    const presence = registry.ofNode({ id: 'node-1', incarnation: 'a' })
    return {
      presence,
      openAnother: async () => registry.ofNode({ id: 'node-2', incarnation: 'b' }),
      breakConnection: async () => store.disconnect(),
      restoreConnection: async () => store.reconnect(),
      dispose: () => registry.close(),
    }
  },
})

testSessionPresence({
  name: 'presence embedded in the node',
  skip: [
    { rule: 'P10', why: 'an embedded registry has one node' },
    { rule: 'P17', why: 'an embedded registry cannot differ from its node: there is no lease' },
    { rule: 'P19', why: 'an embedded registry has one node' },
    { rule: 'P25', why: 'an embedded registry has one node' },
  ],
  create: async () => {
    const store = memoryPresenceStore()
    const presence = embeddedPresence({ store, clock: manualClock() })
    return {
      presence,
      breakConnection: async () => store.disconnect(),
      restoreConnection: async () => store.reconnect(),
      dispose: () => presence.close(),
    }
  },
})
