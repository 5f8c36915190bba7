import { randomUUID } from 'node:crypto'
import { createClient } from '@redis/client'
import { type CuttableLink, cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { useService } from '../../../../tools/services/use-service.ts'

const service = await useService('redis')

/** Whether there is a server; what is skipped without one was printed. */
export const hasRedis = service !== undefined

export const redisUrl: string = service?.address ?? 'redis://127.0.0.1:1'

async function connected() {
  return createClient({ url: redisUrl }).connect()
}

/** Keys of their own, removed at the end. */
export interface TestKeys extends AsyncDisposable {
  readonly client: Awaited<ReturnType<typeof connected>>
  readonly prefix: string
}

export async function testKeys(): Promise<TestKeys> {
  const client = await connected()
  const prefix = `sgs-chat-test:${randomUUID()}:`
  return {
    client,
    prefix,
    [Symbol.asyncDispose]: async () => {
      const keys = await client.keys(`${prefix}*`)
      if (keys.length > 0) await client.del(keys)
      await client.close()
    },
  }
}

/** The server over a link that can be cut. */
export async function linkedUrl(): Promise<{ readonly link: CuttableLink; readonly url: string }> {
  const url = new URL(redisUrl)
  const link = await cuttableLink(url.port === '' ? `${url.hostname}:6379` : url.host)
  url.host = link.address
  return { link, url: url.href }
}
