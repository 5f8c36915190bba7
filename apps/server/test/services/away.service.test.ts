import { describe, expect, it } from 'vitest'
import { type CuttableLink, cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { ChatClient } from '../e2e/chat-client.ts'
import { getHistory, postChat } from '../e2e/http-calls.ts'
import { type ServerProcess, testServers, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'

const services = await sharedServices()

const { cleanups, folder, spawn: spawnWith } = testServers()

function spawn(settings: Record<string, string>): ServerProcess {
  return spawnWith({ DATA_DIR: folder(), ...settings })
}

/** A link to a server that is away. */
async function away(address: string): Promise<CuttableLink> {
  const link = await cuttableLink(address)
  cleanups.push(() => link[Symbol.asyncDispose]())
  await link.cut()
  return link
}

interface Health {
  readonly status: number
  readonly body: { readonly code?: string; readonly description?: string }
}

async function ready(url: string): Promise<Health> {
  const response = await fetch(`${url}/health/ready`)
  return { status: response.status, body: (await response.json()) as Health['body'] }
}

const CHAT = { roomId: 7, messageType: 'TEXT', content: 'x' }

describe.skipIf(services === undefined)('services that are away', () => {
  function settings(): Record<string, string> {
    if (services === undefined) throw new Error('skipped without services')
    return clusterSettings(services)
  }

  it('C6: at start are waited for by name, while health is answered and all else is CHAT-034', async () => {
    const given = settings()
    const kafka = await away(String(given.KAFKA_BROKERS))
    const mongodb = await away(new URL(String(given.MONGODB_URL)).host)
    const s3 = await away(new URL(String(given.S3_ENDPOINT)).host)
    const server = spawn({
      ...given,
      KAFKA_BROKERS: kafka.address,
      MONGODB_URL: `mongodb://${mongodb.address}/?directConnection=true`,
      S3_ENDPOINT: `http://${s3.address}`,
      LISTEN_AFTER_MS: '1',
    })
    await server.logged('listening, and waiting')
    const { url } = server
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    const waits = await ready(url)
    expect(waits).toMatchObject({ status: 503, body: { code: 'CHAT-034' } })
    for (const setting of ['KAFKA_BROKERS', 'MONGODB_URL', 'S3_ENDPOINT'])
      expect(waits.body.description).toContain(`(${setting})`)
    for (const address of [kafka.address, mongodb.address, s3.address])
      expect(waits.body.description).not.toContain(address)

    expect(await postChat(url, tokenFor('alice'), CHAT)).toMatchObject({
      status: 503,
      body: { code: 'CHAT-034' },
    })
    expect(await getHistory(url, tokenFor('alice'), '/7')).toMatchObject({ status: 503 })
    const refusal = await ChatClient.connect(url, tokenFor('alice')).catch(
      (error: { frame?: { body: string } }) => JSON.parse(error.frame?.body ?? '{}'),
    )
    expect(refusal).toMatchObject({ code: 'CHAT-034', retryable: true })

    await server.logged('waiting for the history in MongoDB')
    await mongodb.mend()
    await server.logged('the history in MongoDB is there')
    expect((await ready(url)).body.description).not.toContain('MONGODB_URL')
    await Promise.all([kafka.mend(), s3.mend()])
    await server.logged('serving')
    expect((await ready(url)).status).toBe(200)
    expect((await postChat(url, tokenFor('alice'), CHAT)).status).toBe(201)
    const client = await ChatClient.connect(url, tokenFor('alice'))
    cleanups.push(() => client.close())
    // Once for each, however often it was tried.
    const told = server.lines.filter(line => line.includes('"waiting for the log in Kafka"'))
    expect(told).toHaveLength(1)

    // The store goes: chat goes on, the past is refused, and nothing of it is lost.
    await mongodb.cut()
    expect((await postChat(url, tokenFor('alice'), { ...CHAT, content: 'y' })).status).toBe(201)
    expect(await getHistory(url, tokenFor('alice'), '?roomId=7&page=1&size=9')).toMatchObject({
      status: 503,
      body: { code: 'CHAT-034' },
    })
    expect((await ready(url)).status).toBe(200)
    await mongodb.mend()
    await expect
      .poll(
        async () => {
          const { body } = await getHistory(url, tokenFor('alice'), '?roomId=7&page=1&size=9')
          return body.data?.map(({ content }) => content)
        },
        { timeout: 60_000 },
      )
      .toEqual(['y', 'x'])
  })

  it('C6: a stop ends the waiting, cleanly', async () => {
    const kafka = await away('127.0.0.1:9')
    const server = spawn({ ...settings(), KAFKA_BROKERS: kafka.address })
    await server.logged('waiting for the log in Kafka')
    expect(await server.stop('SIGTERM')).toBe(0)
    expect(server.lines.join('\n')).toContain('"stopped"')
  })

  it.each([
    ['S3_BUCKET', { S3_BUCKET: 'there-is-none-such' }],
    ['AWS_ACCESS_KEY_ID', { AWS_ACCESS_KEY_ID: 'nobody' }],
    ['AWS_SECRET_ACCESS_KEY', { AWS_SECRET_ACCESS_KEY: 'wrong' }],
    ['KAFKA_REPLICATION', { KAFKA_REPLICATION: '9' }],
    ['KAFKA_SSL_CA', { KAFKA_SSL: 'true', KAFKA_SSL_CA: '/there/is/no/such.pem' }],
  ])('C6: ends when %s is what is wrong, and says so', async (setting, wrong) => {
    const server = spawn({ ...settings(), ...wrong })
    expect((await server.exit).code).toBe(1)
    const said = server.lines.filter(line => line.startsWith('sgs-chat cannot start'))
    expect(said).toEqual([expect.stringContaining(setting)])
    expect(server.lines.join('\n')).not.toContain('listening')
  })

  it('C6: ends when the brokers refuse the user, and when the user may not create the topic', async () => {
    const brokers = services?.kafka.env.KAFKA_SASL_BROKERS
    if (!brokers) return
    const sasl = { KAFKA_BROKERS: brokers, KAFKA_SASL_MECHANISM: 'plain' }
    const refused = spawn({ ...settings(), ...sasl, KAFKA_USERNAME: 'chat', KAFKA_PASSWORD: 'wrong' })
    const guest = spawn({ ...settings(), ...sasl, KAFKA_USERNAME: 'guest', KAFKA_PASSWORD: 'guest-secret' })
    expect([(await refused.exit).code, (await guest.exit).code]).toEqual([1, 1])
    expect(refused.lines.join('\n')).toMatch(/^sgs-chat cannot start: .*KAFKA_USERNAME and KAFKA_PASSWORD/m)
    expect(guest.lines.join('\n')).toMatch(/^sgs-chat cannot start: .*KAFKA_(TOPIC|USERNAME)/m)
    for (const { lines } of [refused, guest]) expect(lines.join('\n')).not.toMatch(/guest-secret|"wrong"/)
  })
})
