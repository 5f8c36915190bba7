import { testAttachmentStore } from '@sgs-chat/contract'
import { memoryAttachmentStore } from '@sgs-chat/memory'

testAttachmentStore({
  name: 'memory',
  create: async () => {
    const store = memoryAttachmentStore()
    return {
      store,
      breakConnection: async () => store.disconnect(),
      restoreConnection: async () => store.reconnect(),
      dispose: () => store.close(),
    }
  },
  skip: [
    { rule: 'A15', why: 'the memory store is made of memory' },
    { rule: 'A16', why: 'what the memory store holds ends with it' },
    { rule: 'A25', why: 'what the memory store holds ends with it' },
    { rule: 'A26', why: 'no client reaches the memory of a process' },
    { rule: 'A27', why: 'no client reaches the memory of a process' },
  ],
})
