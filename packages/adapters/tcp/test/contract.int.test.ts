import { testSessionPresence } from '@sgs-chat/contract'
import type { SessionPresence } from '@sgs-chat/core'
import { StateServer, untilAnswered } from './state-server.ts'

testSessionPresence({
  name: 'tcp+lease',
  create: async () => {
    const server = await StateServer.start()
    const presence = server.link()
    const others: SessionPresence[] = []
    return {
      presence,
      openAnother: async () => {
        const other = server.link('node-2')
        others.push(other)
        return other
      },
      breakConnection: () => server.stop(),
      restoreConnection: async () => {
        await server.restart()
        await untilAnswered(presence)
      },
      dispose: async () => {
        await presence.close()
        for (const other of others) await other.close()
        await server[Symbol.asyncDispose]()
      },
    }
  },
})
