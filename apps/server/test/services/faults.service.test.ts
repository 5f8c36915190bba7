import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type CuttableLink, cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { OwnBroker } from '../../../../tools/services/own-broker.ts'
import type { VerifyReport } from '../../../cli/src/verify/verify-report.ts'
import { getHistory } from '../e2e/http-calls.ts'
import { dataFolder, ServerProcess, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'
import { StoredChats } from './stored-chats.ts'
import { ROOMS, VerifyLoad } from './verify-load.ts'

/** How long what fails is away: enough for every bound to be met here; FAULT_OUTAGE_SECONDS makes it longer by hand. */
const OUTAGE_MS = Number(process.env.FAULT_OUTAGE_SECONDS ?? 5) * 1_000
/** Chats before a fault, and after what failed is there again. */
const SOME = 150
const ALICE = tokenFor('alice')

/** What a SEND may be told while something is away: each is one of G7.1, and each failure says that trying again helps. */
const RECEIPT = /^RECEIPT$/
const ENDED = /^connection ended with \d+$/
const LOG_AWAY = /^CHAT-01[1245] (rejected|unknown), retryable$/
const DRAINING = /^CHAT-034 rejected, retryable$/

const services = await sharedServices()

/** One of the nodes, which comes back where it was. */
class Node {
  readonly #settings: Readonly<Record<string, string>>
  readonly #folder = dataFolder()
  #server: ServerProcess | undefined

  constructor(settings: Readonly<Record<string, string>>) {
    this.#settings = settings
  }

  /** Unless it runs. */
  async start(): Promise<void> {
    const before = this.#server
    if (before !== undefined && before.child.exitCode === null && before.child.signalCode === null) return
    const again = before === undefined ? {} : { PORT: new URL(before.url).port }
    this.#server = await ServerProcess.start(this.#folder.path, { ...this.#settings, ...again })
  }

  get url(): string {
    return `http://127.0.0.1:${new URL(this.#server?.url ?? '').port}`
  }

  get lines(): readonly string[] {
    return this.#server?.lines ?? []
  }

  async stop(signal: NodeJS.Signals): Promise<number | string | null | undefined> {
    return this.#server?.stop(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    this.#folder.remove()
  }
}

/** Three nodes on a broker that may be killed, and on a store and an S3 that may be cut off. */
class Cluster implements AsyncDisposable {
  readonly broker: OwnBroker = new OwnBroker()
  readonly #owned = new AsyncDisposableStack()
  #parts: Parts | undefined

  async start(): Promise<void> {
    if (services === undefined) return
    this.#owned.defer(() => this.broker.wipe())
    const mongodb = this.#owned.use(await cuttableLink(new URL(services.mongodb.address).host))
    const s3 = this.#owned.use(await cuttableLink(new URL(services.s3.address).host))
    const settings = { ...clusterSettings(services), KAFKA_BROKERS: await this.broker.up() }
    const stored = this.#owned.use(await StoredChats.open(settings))
    const own = {
      ...settings,
      MONGODB_URL: `mongodb://${mongodb.address}/?directConnection=true`,
      S3_ENDPOINT: `http://${s3.address}`,
      // Bounds shorter than the outages, so that each of them is met.
      KAFKA_APPEND_TIMEOUT_MS: '3000',
      KAFKA_SESSION_TIMEOUT_MS: '3000',
      MONGODB_TIMEOUT_MS: '1500',
      ARCHIVE_RETRY_MAX_MS: '1000',
      S3_TIMEOUT_MS: '3000',
    }
    const nodes = [new Node(own), new Node(own), new Node(own)] as const
    for (const node of nodes) this.#owned.use(node)
    await Promise.all(nodes.map(node => node.start()))
    this.#parts = { nodes, mongodb, s3, stored }
  }

  get parts(): Parts {
    if (this.#parts === undefined) throw new Error('the cluster is not there')
    return this.#parts
  }

  /** Begins the load, and waits until it runs. */
  async verify(): Promise<VerifyLoad> {
    const load = new VerifyLoad(this.parts.nodes.map(({ url }) => url))
    await load.more(SOME)
    return load
  }

  /** Whatever a test that failed left broken. */
  async mend(): Promise<void> {
    const { nodes, mongodb, s3 } = this.parts
    await Promise.all([mongodb.mend(), s3.mend(), this.broker.up()])
    await Promise.all(nodes.map(node => node.start()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}

interface Parts {
  readonly nodes: readonly [Node, Node, Node]
  readonly mongodb: CuttableLink
  readonly s3: CuttableLink
  readonly stored: StoredChats
}

const cluster = new Cluster()
beforeAll(() => cluster.start())
afterAll(() => cluster[Symbol.asyncDispose]())

/** Nothing missing, doubled or out of order; each SEND answered as it may be; in the end the store itself has each chat once. */
async function expectRight(load: VerifyLoad, answers: readonly RegExp[]): Promise<VerifyReport> {
  const report = await load.end()
  process.stderr.write(
    `${expect.getState().currentTestName}: ${JSON.stringify([report.seconds, report.chats, report.answers, report.latencyMs])}\n`,
  )
  expect(report, JSON.stringify(report.examples)).toMatchObject({ verdict: 'right', reasons: [] })
  expect(new Set(Object.values(report.defects))).toEqual(new Set([0]))
  const { written } = report.chats
  expect(report.chats).toEqual({ written, acknowledged: written, failed: 0, unknown: 0 })
  for (const answer of Object.keys(report.answers))
    expect(
      answers.some(one => one.test(answer)),
      answer,
    ).toBe(true)
  await expect
    .poll(() => cluster.parts.stored.ofRun(report.run), { timeout: 60_000, interval: 250 })
    .toEqual({ chats: written, documents: written })
  return report
}

/** What the resumes of the readers that began at a node came to, in all. */
function resumesOf({ readers }: VerifyReport, node: number): Set<string> {
  return new Set(readers.filter((_, index) => index % 3 === node).flatMap(one => Object.keys(one.resumes)))
}

describe.skipIf(services === undefined)('pnpm verify finds three nodes right', () => {
  afterEach(() => cluster.mend())

  it('G9.2, G6.1, G7.1: though one is killed (-9); its clients resume on another with `since`', async () => {
    const [, victim] = cluster.parts.nodes
    const load = await cluster.verify()
    expect(await victim.stop('SIGKILL')).toBe('SIGKILL')
    await load.more(3 * SOME)
    // For its history only: nobody comes back to it.
    await victim.start()
    const report = await expectRight(load, [RECEIPT, ENDED])
    expect([0, 1, 2].map(node => resumesOf(report, node))).toEqual([
      new Set(),
      new Set(['recovered']),
      new Set(),
    ])
  })

  it('G9.2, W65, G6.1: though two are restarted one after the other', async () => {
    const load = await cluster.verify()
    for (const node of cluster.parts.nodes.slice(0, 2)) {
      expect(await node.stop('SIGTERM')).toBe(0)
      await node.start()
      await load.more(SOME)
    }
    const report = await expectRight(load, [RECEIPT, ENDED, DRAINING])
    for (const node of [0, 1]) expect(resumesOf(report, node)).toEqual(new Set(['recovered']))
  })

  it('G1.5, G4.4, G7.1: though the broker is killed (-9) and started again on its data', async () => {
    const load = await cluster.verify()
    await cluster.broker.kill()
    await pause(OUTAGE_MS)
    await cluster.broker.up()
    await load.more(SOME)
    const report = await expectRight(load, [RECEIPT, LOG_AWAY])
    const refusals = Object.keys(report.answers).filter(answer => LOG_AWAY.test(answer))
    expect(refusals, 'sends were refused while it was away').not.toEqual([])
    for (const { connections } of report.readers) expect(connections, 'readers stay').toBe(1)
  })

  it('G5.1, G4.3: though the store is away; chat goes on, the past is CHAT-034, and then it catches up', async () => {
    const {
      nodes: [{ url }],
      mongodb,
    } = cluster.parts
    const load = await cluster.verify()
    await mongodb.cut()
    const before = load.written
    await Promise.all([
      pause(OUTAGE_MS),
      // So far back that no node's window has it.
      expect
        .poll(() => getHistory(url, ALICE, '?roomId=1&page=900&size=100'), { timeout: OUTAGE_MS })
        .toMatchObject({ status: 503, body: { code: 'CHAT-034' } }),
    ])
    expect(load.written - before, 'chat went on').toBeGreaterThan((OUTAGE_MS / 1_000) * 40)
    await mongodb.mend()
    await load.more(SOME)
    const report = await expectRight(load, [RECEIPT])
    for (const { connections } of report.readers) expect(connections).toBe(1)
  })

  it('G4.3, G2.2: though an archive member is killed (-9) when its batch is saved and its watermark is not', async () => {
    const { nodes, mongodb, stored } = cluster.parts
    const load = await cluster.verify()
    const marks = nodes.map(({ lines }) => lines.length)
    const membersInMidBatch = (): readonly Node[] =>
      nodes.filter(({ lines }, index) =>
        lines.slice(marks[index]).some(line => line.includes('the archive could not save chats')),
      )
    mongodb.loseAnswers()
    await expect.poll(membersInMidBatch, { timeout: 30_000 }).not.toEqual([])
    expect(await stored.partitionsInMidBatch(ROOMS)).not.toEqual([])
    const [victim] = membersInMidBatch()
    expect(await victim?.stop('SIGKILL')).toBe('SIGKILL')
    const before = load.written
    const atDeath = await stored.count()
    await mongodb.mend()
    await load.more(SOME)
    // The others have taken over what was its own, before it comes back.
    await expect
      .poll(() => stored.count(), { timeout: 60_000 })
      .toBeGreaterThanOrEqual(atDeath + load.written - before)
    await victim?.start()
    await expectRight(load, [RECEIPT, ENDED])
  })

  it('G7.4, R2, R6: though S3 is away; files are CHAT-033 in bounded time, and then there again', async () => {
    const {
      nodes: [first, second],
      s3,
    } = cluster.parts
    const load = await cluster.verify()
    const { status: accepted, content = '' } = await postFile(first.url)
    const read = async (): Promise<number> =>
      (await fetch(content.replace('http://chat.test', second.url))).status
    expect([accepted, await read()]).toEqual([201, 200])
    await s3.cut()
    const inTime = { signal: AbortSignal.timeout(Math.max(OUTAGE_MS, 10_000)) }
    const [posted, status] = await Promise.all([postFile(first.url, inTime), read(), pause(OUTAGE_MS)])
    expect(posted).toEqual({ status: 400, code: 'CHAT-033' })
    expect(status).toBe(400)
    await s3.mend()
    expect(await read()).toBe(200)
    expect(await postFile(second.url)).toMatchObject({ status: 201 })
    await load.more(SOME)
    const report = await expectRight(load, [RECEIPT])
    for (const { connections } of report.readers) expect(connections).toBe(1)
  })
})

async function postFile(
  url: string,
  options: RequestInit = {},
): Promise<{ status: number; code?: string; content?: string }> {
  const form = new FormData()
  form.set('roomId', '7')
  form.set('messageType', 'FILE')
  form.set('content', new File(['a file'], 'note.txt', { type: 'text/plain' }))
  const headers = { authorization: `Bearer ${ALICE}` }
  const response = await fetch(`${url}/chat/send`, { ...options, method: 'POST', headers, body: form })
  const { code, data } = (await response.json()) as { code?: string; data?: { content: string } }
  return { status: response.status, ...(code && { code }), ...(data && { content: data.content }) }
}
