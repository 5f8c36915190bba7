import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { type CuttableLink, cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { useService } from '../../../../tools/services/use-service.ts'

const service = await useService('mongodb')

/** Whether there is a server; what is skipped without one was printed. */
export const hasMongodb = service !== undefined

export const mongodbUrl: string = service?.address ?? 'mongodb://127.0.0.1:1/'

/** A database of its own, dropped at the end. */
export interface TestDatabase extends AsyncDisposable {
  readonly client: MongoClient
  readonly name: string
}

export async function testDatabase(): Promise<TestDatabase> {
  const client = await MongoClient.connect(mongodbUrl)
  const name = `sgs-chat-test-${randomUUID()}`
  return {
    client,
    name,
    [Symbol.asyncDispose]: async () => {
      await client.db(name).dropDatabase()
      await client.close()
    },
  }
}

/** The server over a link that can be cut. Of a replica set it is the first host: give its primary. */
export async function linkedUrl(): Promise<{ readonly link: CuttableLink; readonly url: string }> {
  const [, scheme, userInfo = '', hosts, rest = ''] =
    /^(mongodb:\/\/)([^@/]*@)?([^/?]+)(.*)$/.exec(mongodbUrl) ?? []
  const [first] = hosts?.split(',') ?? []
  if (scheme === undefined || first === undefined)
    throw new Error('MONGODB_URL must be a mongodb:// URL here')
  const link = await cuttableLink(first.includes(':') ? first : `${first}:27017`)
  const parameters = new URLSearchParams(rest.split('?')[1] ?? '')
  parameters.delete('replicaSet')
  parameters.set('directConnection', 'true')
  const path = rest.split('?')[0] || '/'
  return { link, url: `${scheme}${userInfo}${link.address}${path}?${parameters}` }
}
