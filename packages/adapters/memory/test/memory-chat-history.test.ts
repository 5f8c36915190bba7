import { testChatHistory } from '@sgs-chat/contract'
import { memoryChatHistory } from '@sgs-chat/memory'

testChatHistory({
  name: 'memory',
  create: async () => {
    const history = memoryChatHistory()
    return {
      history,
      breakConnection: async () => history.disconnect(),
      restoreConnection: async () => history.reconnect(),
      dispose: () => history.close(),
    }
  },
  skip: [{ rule: 'H27', why: 'what the memory history holds ends with it' }],
})
