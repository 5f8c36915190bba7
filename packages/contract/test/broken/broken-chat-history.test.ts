import { type ChatHistoryHarness, chatHistoryRules } from '@sgs-chat/contract'
import type { ChatHistory, LoggedChat, Watermark } from '@sgs-chat/core'
import { memoryChatHistory } from '@sgs-chat/memory'
import { describe } from 'vitest'
import { type Breakage, expectBroken } from './expect-broken.ts'

function broken(
  what: string,
  caughtBy: readonly string[],
  breaks: (history: ChatHistory) => Partial<ChatHistory>,
): Breakage<ChatHistoryHarness> {
  const create = async (): Promise<ChatHistoryHarness> => {
    const memory = memoryChatHistory()
    const changes: object = breaks(memory)
    const history = new Proxy<ChatHistory>(memory, {
      get(target, name) {
        const value: unknown = Reflect.get(name in changes ? changes : target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    return {
      history,
      reopen: async () => memoryChatHistory(),
      breakConnection: async () => memory.disconnect(),
      restoreConnection: async () => memory.reconnect(),
      dispose: () => memory.close(),
    }
  }
  return { what, caughtBy, create }
}

/** A store of its own that keeps what `keeps` says of two records of one `_id`. */
function keeping(
  keeps: (kept: LoggedChat, chat: LoggedChat) => LoggedChat,
): (history: ChatHistory) => Partial<ChatHistory> {
  return () => {
    const chats = new Map<string, LoggedChat>()
    const ofRoom = (roomId: number): LoggedChat[] =>
      [...chats.values()].filter(chat => chat.roomId === roomId)
    return {
      save: async saved => {
        for (const chat of saved) {
          const kept = chats.get(chat._id)
          chats.set(chat._id, kept === undefined ? chat : keeps(kept, chat))
        }
      },
      read: async ({ roomId, order, skip = 0, limit }) => {
        const room = ofRoom(roomId).sort(
          (a, b) => a.position.epoch - b.position.epoch || a.position.seq - b.position.seq,
        )
        return (order === 'oldest-first' ? room : room.reverse()).slice(skip, skip + limit)
      },
      find: async (roomId, id) => ofRoom(roomId).find(chat => chat._id === id),
    }
  }
}

const text = ({ position }: LoggedChat): string => `${position.epoch}:${position.seq}`

describe('the ChatHistory suite', () => {
  expectBroken(chatHistoryRules, [
    broken(
      'lets the last record win',
      ['H14', 'H15', 'H17'],
      keeping((_kept, chat) => chat),
    ),
    broken(
      'lets the first record that comes win',
      ['H14', 'H15', 'H16'],
      keeping(kept => kept),
    ),
    broken(
      'takes epoch 0 for the lowest position',
      ['H16'],
      keeping((kept, chat) => (compare(kept, chat) <= 0 ? kept : chat)),
    ),
    broken(
      'compares positions as texts',
      ['H15'],
      keeping((kept, chat) => (text(kept) < text(chat) ? kept : chat)),
    ),
    broken(
      'keeps the fields of the record that it replaces',
      ['H15'],
      keeping((kept, chat) => (compare(kept, chat) <= 0 ? kept : { ...kept, position: chat.position })),
    ),
    broken('sorts by time', ['H2'], history => ({
      read: async query => (await history.read(query)).toSorted((a, b) => a.createdAt - b.createdAt),
    })),
    broken('sorts positions as texts', ['H3'], history => ({
      read: async query => (await history.read(query)).toSorted((a, b) => (text(a) < text(b) ? -1 : 1)),
    })),
    broken('takes after as inclusive', ['H3', 'H4', 'H9'], history => ({
      read: ({ after, ...query }) =>
        history.read(after === undefined ? query : { ...query, after: { ...after, seq: after.seq - 1 } }),
    })),
    broken('limits before it skips', ['H5', 'H6'], history => ({
      read: async ({ skip = 0, ...query }) => (await history.read(query)).slice(skip),
    })),
    broken('answers one more than the limit', ['H5'], history => ({
      read: query => history.read({ ...query, limit: query.limit + 1 }),
    })),
    broken('finds a chat in any room', ['H8'], history => {
      const all = new Map<string, LoggedChat>()
      return {
        save: async chats => {
          for (const chat of chats) all.set(chat._id, chat)
          await history.save(chats)
        },
        find: async (_roomId, id) => all.get(id),
      }
    }),
    broken('answers a save before it is seen', ['H12'], history => ({
      save: async chats => void setTimeout(() => void history.save(chats).catch(() => undefined), 5),
    })),
    broken('takes ids that differ in case for one', ['H11'], history => ({
      save: chats =>
        history.save(chats.map(chat => ({ ...chat, _id: chat._id.toLowerCase() as typeof chat._id }))),
    })),
    broken('moves the watermark from anywhere', ['H23', 'H24'], () => unchecked()),
    broken('compares only the place of the watermark', ['H23'], history => ({
      advance: async (partition, from, to) => {
        const kept = await history.watermark(partition)
        const isSame = kept?.position.seq === from?.position.seq
        return isSame && (await history.advance(partition, kept, to))
      },
    })),
    broken('looks at the watermark, then writes it', ['H24'], () => racing()),
    broken('has one watermark for all partitions', ['H25'], history => ({
      watermark: () => history.watermark(0),
      advance: (_partition, from, to) => history.advance(0, from, to),
    })),
    broken('forgets when it is closed', ['H27'], () => ({})),
    broken('answers an empty page when it is cut off', ['H21'], history => ({
      read: query => history.read(query).catch(() => []),
    })),
    broken('reads on after it was closed', ['H29', 'H30'], () => ({ read: async () => [] })),
  ])
})

function compare(a: LoggedChat, b: LoggedChat): number {
  return a.position.epoch - b.position.epoch || a.position.seq - b.position.seq
}

function unchecked(): Partial<ChatHistory> {
  const marks = new Map<number, Watermark>()
  return {
    watermark: async partition => marks.get(partition),
    advance: async (partition, _from, to) => {
      marks.set(partition, to)
      return true
    },
  }
}

function racing(): Partial<ChatHistory> {
  const marks = new Map<number, Watermark>()
  return {
    watermark: async partition => marks.get(partition),
    advance: async (partition, from, to) => {
      const isSame = marks.get(partition)?.fingerprint === from?.fingerprint
      await Promise.resolve()
      if (isSame) marks.set(partition, to)
      return isSame
    },
  }
}
