import { type ChatSystem, createChat, embeddedPresence } from '@sgs-chat/core'
import { memoryChatHistory, memoryChatLog, memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'
import { sqliteChatStore } from '@sgs-chat/sqlite'

/** The chat core of this service: durable in the SQLite file at `path`, or in memory without one. */
export async function openChat(path?: string): Promise<ChatSystem & AsyncDisposable> {
  const clock = systemClock()
  const ids = systemIds()
  await using opened = new AsyncDisposableStack()
  const store =
    path === undefined
      ? { log: memoryChatLog(), history: memoryChatHistory() }
      : opened.use(await sqliteChatStore({ path }))
  const presence = opened.use(embeddedPresence({ store: memoryPresenceStore(), clock }))
  const chat = opened.use(await createChat({ log: store.log, history: store.history, presence, clock, ids }))
  // Whoever closes the chat closes what it was made of, last made first.
  const resources = opened.move()
  return {
    ...chat,
    close: () => resources.disposeAsync(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
