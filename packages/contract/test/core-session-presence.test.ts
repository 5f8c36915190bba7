import { testSessionPresence } from '@sgs-chat/contract'
import { presenceRegistry } from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'

testSessionPresence({
  name: "core's registry over the memory store",
  create: async () => {
    const store = memoryPresenceStore()
    const presence = presenceRegistry({ store, node: 'node-1' })
    return {
      presence,
      openAnother: async () => presenceRegistry({ store, node: 'node-2' }),
      breakConnection: async () => store.disconnect(),
      restoreConnection: async () => store.reconnect(),
      dispose: () => presence.close(),
    }
  },
})
