import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Refusal, refusingStore } from '../../../../tools/services/refusing-store.ts'
import { type ServerProcess, testServers, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'
import { smallDisk } from './small-disk.ts'
import { VerifyLoad } from './verify-load.ts'

const services = await sharedServices()
const ALICE = tokenFor('alice')
const KIB = 1_024
/** Chats before a fault, while it lasts, and after it. */
const SOME = 150

const { cleanups, folder, start } = testServers()

/** What of `settings` is undefined is left out. */
function nodeAt(
  path: string,
  settings: Readonly<Record<string, string | undefined>>,
): Promise<ServerProcess> {
  const all = { ...(services && clusterSettings(services)), SINGLE_NODE: 'true', ...settings }
  const given = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return start(Object.fromEntries(given), path)
}

interface Answer {
  readonly status: number
  readonly code?: string
  readonly retryable?: boolean
  /** The link, when the file was taken. */
  readonly content?: string
}

/** Answered in bounded time. */
async function postFile({ url }: ServerProcess, bytes: number): Promise<Answer> {
  const form = new FormData()
  form.set('roomId', '7')
  form.set('messageType', 'FILE')
  form.set('content', new File([new Uint8Array(bytes).fill(7)], 'a.bin'))
  const headers = { authorization: `Bearer ${ALICE}` }
  const signal = AbortSignal.timeout(20_000)
  const response = await fetch(`${url}/chat/send`, { method: 'POST', headers, body: form, signal })
  const { data, code, retryable } = (await response.json()) as Answer & { data?: { content: string } }
  const { content } = data ?? {}
  return {
    status: response.status,
    ...(content === undefined
      ? { ...(code && { code }), ...(retryable !== undefined && { retryable }) }
      : { content }),
  }
}

async function bytesAt({ url }: ServerProcess, link: string | undefined): Promise<number> {
  return (await (await fetch(String(link).replace('http://chat.test', url))).arrayBuffer()).byteLength
}

/** Every chat acknowledged at its first try and delivered once, in order; no reader lost its connection. */
async function expectUnaffected(load: VerifyLoad): Promise<void> {
  const report = await load.end()
  expect(report, JSON.stringify(report.examples)).toMatchObject({ verdict: 'right', reasons: [] })
  expect(new Set(Object.values(report.defects))).toEqual(new Set([0]))
  expect(Object.keys(report.answers)).toEqual(['RECEIPT'])
  for (const { connections } of report.readers) expect(connections).toBe(1)
}

describe.skipIf(services === undefined)('pnpm verify finds chat unaffected', () => {
  it('R2, G7.4, E1: though the disk of the files is full; files are CHAT-033, no half of one stays, and it heals', async () => {
    const path = folder()
    const files = join(path, 'files')
    let node: ServerProcess | undefined
    const disk = smallDisk(files, () => node?.child.pid)
    cleanups.push(() => disk[Symbol.dispose]())
    node = await nodeAt(path, { S3_BUCKET: undefined, S3_ENDPOINT: undefined, S3_REGION: undefined })
    const load = new VerifyLoad([node.url])
    await load.more(SOME)
    const before = await postFile(node, 300 * KIB)
    expect(before.status).toBe(201)
    const kept = filesIn(files)
    expect(kept).toHaveLength(1)

    disk.fill(100 * KIB)
    // One after the other, and many at once: each of them begins to write.
    const refused = [await postFile(node, 300 * KIB)]
    refused.push(
      ...(await Promise.all([300, 400, 500].map(kib => postFile(node as ServerProcess, kib * KIB)))),
    )
    for (const answer of refused) expect(answer).toMatchObject({ status: 400, code: 'CHAT-033' })
    expect(filesIn(files), 'no half file').toEqual(kept)
    expect(await bytesAt(node, before.content), 'what is there is read').toBe(300 * KIB)
    expect((await postFile(node, 10 * KIB)).status, 'what fits is taken').toBe(201)
    await load.more(SOME)
    disk.free()
    const after = await postFile(node, 300 * KIB)
    expect(await bytesAt(node, after.content)).toBe(300 * KIB)
    expect(filesIn(files)).toHaveLength(3)
    await load.more(SOME)
    await expectUnaffected(load)
  })

  it.each<[Refusal]>([['InsufficientStorage'], ['SlowDown']])(
    'R2, G7.4, E1: though S3 answers %s to what is written; files are CHAT-033, and it heals',
    async refusal => {
      const path = folder()
      const store = await refusingStore(services?.s3.address ?? '')
      cleanups.push(() => store[Symbol.asyncDispose]())
      const node = await nodeAt(path, { S3_ENDPOINT: store.url, MAX_ATTACHMENT_BYTES: String(20_000 * KIB) })
      const load = new VerifyLoad([node.url])
      await load.more(SOME)
      const before = await postFile(node, 300 * KIB)
      expect(before.status).toBe(201)
      store.refuse(refusal)
      expect(await postFile(node, 300 * KIB)).toEqual({ status: 400, code: 'CHAT-033', retryable: true })
      // In parts, of which the first is taken.
      store.refuse(refusal, 1)
      expect(await postFile(node, 12_000 * KIB)).toEqual({ status: 400, code: 'CHAT-033', retryable: true })
      expect(await bytesAt(node, before.content), 'what is there is read').toBe(300 * KIB)
      await load.more(SOME)
      store.refuse(undefined)
      for (const kib of [300, 12_000]) {
        const after = await postFile(node, kib * KIB)
        expect(await bytesAt(node, after.content)).toBe(kib * KIB)
      }
      await load.more(SOME)
      await expectUnaffected(load)
    },
  )
})

/** Whatever lies there, half files and pending ones among them; but not what fills the disk. */
function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.parentPath !== folder)
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()
}
