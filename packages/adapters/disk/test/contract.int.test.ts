import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AttachmentStoreHarness, testAttachmentStore } from '@sgs-chat/contract'
import type { AttachmentStore } from '@sgs-chat/core'
import { diskAttachmentStore } from '../src/index.ts'

async function createHarness(): Promise<AttachmentStoreHarness> {
  const base = mkdtempSync(join(tmpdir(), 'sgs-chat-disk-'))
  const folder = join(base, 'files')
  const opened: AttachmentStore[] = []
  const open = async (): Promise<AttachmentStore> => {
    const store = await diskAttachmentStore({ folder })
    opened.push(store)
    return store
  }
  return {
    store: await open(),
    reopen: open,
    countLeftovers: async () =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => !entry.isDirectory())
        .length,
    // As when the volume is no longer mounted.
    breakConnection: async () => renameSync(folder, join(base, 'away')),
    restoreConnection: async () => renameSync(join(base, 'away'), folder),
    dispose: async () => {
      for (const store of opened) await store.close()
      rmSync(base, { recursive: true, force: true })
    },
  }
}

testAttachmentStore({
  name: 'disk',
  create: createHarness,
  skip: [
    { rule: 'A26', why: 'no client reaches the folder of a server' },
    { rule: 'A27', why: 'no client reaches the folder of a server' },
  ],
})
