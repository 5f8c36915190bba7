import { createChat, embeddedPresence } from '@sgs-chat/core'
import { httpServer } from '@sgs-chat/http'
import { memoryChatHistory, memoryChatLog, memoryPresenceStore, memoryTokenVerifier } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'

/** What `GET /api-docs/json` answers, from a node in memory that nothing is kept of. */
export async function openApiDocument(): Promise<unknown> {
  const [clock, ids] = [systemClock(), systemIds()]
  await using chat = await createChat({
    log: memoryChatLog(),
    history: memoryChatHistory(),
    presence: embeddedPresence({ store: memoryPresenceStore(), clock }),
    clock,
    ids,
  })
  await using http = await httpServer({
    chat,
    tokens: memoryTokenVerifier({ tokens: {} }),
    devToken: { mint: () => '' },
  })
  const { port, host } = await http.listen({ port: 0, host: '127.0.0.1' })
  const answer = await fetch(`http://${host}:${port}/api-docs/json`)
  return answer.json()
}
