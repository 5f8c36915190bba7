import { testPresenceStore } from '@sgs-chat/contract'
import { memoryPresenceStore } from '@sgs-chat/memory'

testPresenceStore({
  name: 'memory',
  create: async () => {
    const store = memoryPresenceStore()
    return {
      store,
      breakConnection: async () => store.disconnect(),
      restoreConnection: async () => store.reconnect(),
      dispose: () => store.close(),
    }
  },
})
