import { type AttachmentStoreHarness, testAttachmentStore } from '@sgs-chat/contract'
import type { AttachmentStore } from '@sgs-chat/core'
import { describe } from 'vitest'
import { cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { s3AttachmentStore } from '../src/index.ts'
import { hasS3, testBucket } from './s3-fixture.ts'

async function createHarness(): Promise<AttachmentStoreHarness> {
  const bucket = await testBucket()
  const { options } = bucket
  const link = await cuttableLink(new URL(options.endpoint).host)
  const opened: AttachmentStore[] = []
  const open = async (): Promise<AttachmentStore> => {
    const store = await s3AttachmentStore({ ...options, endpoint: `http://${link.address}` })
    opened.push(store)
    return store
  }
  return {
    store: await open(),
    reopen: open,
    countLeftovers: async () => (await bucket.objects()).length + (await bucket.uploads()).length,
    breakConnection: () => link.cut(),
    restoreConnection: () => link.mend(),
    dispose: async () => {
      for (const store of opened) await store.close()
      await link[Symbol.asyncDispose]()
      await bucket[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(!hasS3)('S3', () => testAttachmentStore({ name: 's3', create: createHarness }))
