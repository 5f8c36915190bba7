import { type AttachmentStoreHarness, attachmentStoreRules } from '@sgs-chat/contract'
import type { Attachment, AttachmentStore } from '@sgs-chat/core'
import { memoryAttachmentStore } from '@sgs-chat/memory'
import { describe } from 'vitest'
import { type Breakage, expectBroken } from './expect-broken.ts'

function broken(
  what: string,
  caughtBy: readonly string[],
  breaks: (store: AttachmentStore) => Partial<AttachmentStore>,
): Breakage<AttachmentStoreHarness> {
  const create = async (): Promise<AttachmentStoreHarness> => {
    const memory = memoryAttachmentStore()
    const changes: object = breaks(memory)
    const store = new Proxy<AttachmentStore>(memory, {
      get(target, name) {
        const value: unknown = Reflect.get(name in changes ? changes : target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    return {
      store,
      reopen: async () => memoryAttachmentStore(),
      breakConnection: async () => memory.disconnect(),
      restoreConnection: async () => memory.reconnect(),
      dispose: () => memory.close(),
    }
  }
  return { what, caughtBy, create }
}

async function* parts(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('the AttachmentStore suite', () => {
  expectBroken(attachmentStoreRules, [
    broken('reads a body as text', ['A1'], store => ({
      put: async (file, body, options) =>
        store.put(file, parts(Buffer.from((await readAll(body)).toString())), options),
    })),
    broken('cleans names up', ['A3'], store => ({
      put: (file, body, options) =>
        store.put({ ...file, name: file.name.replace(/^.*[/\\]/, '') }, body, options),
    })),
    broken('takes one byte too many', ['A4'], store => ({
      put: (file, body, options) => store.put(file, body, { ...options, maxBytes: options.maxBytes + 1 }),
    })),
    broken('cuts at the limit and keeps the rest', ['A4', 'A5'], store => ({
      put: async (file, body, options) => {
        const chunks: Uint8Array[] = []
        let bytes = 0
        for await (const chunk of body) {
          bytes += chunk.length
          if (bytes > options.maxBytes) break
          chunks.push(chunk)
        }
        return store.put(file, parts(...chunks), options)
      },
    })),
    broken('keeps half a file when the body fails', ['A6'], store => ({
      put: async (file, body, options) => {
        const chunks: Uint8Array[] = []
        try {
          for await (const chunk of body) chunks.push(chunk)
        } catch (error) {
          await store.put(file, parts(...chunks), options)
          throw error
        }
        return store.put(file, parts(...chunks), options)
      },
    })),
    broken('shows a file while it is written', ['A9'], store => {
      const begun = new Map<string, Attachment>()
      return {
        put: (file, body, options) => {
          begun.set(file.id, { ...file, bytes: 0 })
          return store.put(file, body, options)
        },
        find: async (roomId, id) => (await store.find(roomId, id)) ?? begun.get(id),
      }
    }),
    broken('does not look at the signal while it waits for the body', ['A7'], store => ({
      put: (file, body, { maxBytes }) => store.put(file, body, { maxBytes }),
    })),
    broken('mixes the rooms', ['A12'], store => {
      const room = 0 as Attachment['roomId']
      return {
        put: async (file, body, options) => ({
          ...(await store.put({ ...file, roomId: room }, body, options)),
          roomId: file.roomId,
        }),
        find: (_roomId, id) => store.find(room, id),
        open: (_roomId, id) => store.open(room, id),
        remove: (_roomId, id) => store.remove(room, id),
      }
    }),
    broken('rejects for what is not there', ['A11', 'A13'], store => ({
      remove: async (roomId, id) => {
        if ((await store.find(roomId, id)) === undefined) throw new Error('ENOENT')
        await store.remove(roomId, id)
      },
    })),
    broken('gives its one body to whoever reads first', ['A14'], store => {
      const opened = new Map<string, ReturnType<AttachmentStore['open']>>()
      return {
        open: (roomId, id) => {
          const known = opened.get(id) ?? store.open(roomId, id)
          opened.set(id, known)
          return known
        },
      }
    }),
    broken('holds the whole body', ['A15'], () => ({})),
    broken('forgets when it is closed', ['A16'], () => ({})),
    broken('lets an error of its driver out', ['A17'], store => ({
      find: async (roomId, id) => {
        try {
          return await store.find(roomId, id)
        } catch {
          throw new Error('EIO')
        }
      },
    })),
    broken('shows what is pending', ['A21'], store => ({
      find: async (roomId, id, options) =>
        (await store.find(roomId, id, options)) ?? store.find(roomId, id, { pending: true }),
    })),
    broken('keeps an upload under the fields it came with', ['A22'], store => ({
      keep: (upload, _fields, options) => store.keep(upload, upload.attachment, options),
    })),
    broken('keeps whatever lies there now', ['A23'], store => ({
      keep: async ({ attachment: { roomId, id } }, fields, options) => {
        const now = await store.open(roomId, id, { pending: true })
        return now && store.keep(now, fields, options)
      },
    })),
    broken('tells what has only just come as old', ['A24'], store => ({
      pendingBefore: () => store.pendingBefore(Number.POSITIVE_INFINITY),
    })),
    broken('finds after it was closed', ['A19', 'A20'], () => ({ find: async () => undefined })),
  ])
})
