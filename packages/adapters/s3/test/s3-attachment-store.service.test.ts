import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { recordingLogger, seededRandom } from '@sgs-chat/contract/fakes'
import { type Attachment, type AttachmentStore, parseRoomId, userId } from '@sgs-chat/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CuttableLink, cuttableLink } from '../../../../tools/services/cuttable-link.ts'
import { refusingStore } from '../../../../tools/services/refusing-store.ts'
import { type S3Options, s3AttachmentStore } from '../src/index.ts'
import { hasS3, type TestBucket, testBucket } from './s3-fixture.ts'

const MEBIBYTE = 1_048_576
const ROOMY = { maxBytes: 100 * MEBIBYTE }

function file(id: string, changes: Partial<Attachment> = {}): Omit<Attachment, 'bytes'> {
  return {
    id,
    roomId: parseRoomId(7),
    uploaderId: userId('앨리스'),
    name: '사진 "1".png',
    extension: 'png',
    contentType: 'image/png',
    createdAt: 1_700_000_000_000,
    ...changes,
  }
}

async function* chunksOf(bytes: Uint8Array, chunkBytes = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

async function bytesOf(store: AttachmentStore, id: string): Promise<Buffer> {
  const opened = await store.open(parseRoomId(7), id)
  if (opened === undefined) throw new Error('no such file')
  return Buffer.concat(await Array.fromAsync(opened.body))
}

describe.skipIf(!hasS3)('s3AttachmentStore', () => {
  let bucket: TestBucket
  let link: CuttableLink
  let store: AttachmentStore
  const opened: AttachmentStore[] = []
  const open = async (changes: Partial<S3Options> = {}): Promise<AttachmentStore> => {
    const made = await s3AttachmentStore({
      ...bucket.options,
      endpoint: `http://${link.address}`,
      ...changes,
    })
    opened.push(made)
    return made
  }
  beforeEach(async () => {
    bucket = await testBucket()
    link = await cuttableLink(new URL(bucket.options.endpoint).host)
    store = await open({ closeTimeoutMs: 200 })
  })
  afterEach(async () => {
    for (const made of opened.splice(0)) await made.close()
    await link[Symbol.asyncDispose]()
    await bucket[Symbol.asyncDispose]()
  })

  it('takes a file of 12 MiB in parts, and one of exactly a part in one request, byte for byte', async () => {
    for (const size of [12 * MEBIBYTE + 17, 5 * MEBIBYTE, 10 * MEBIBYTE, 5 * MEBIBYTE + 1]) {
      const whole = seededRandom(size).bytes(size)
      const id = `file-${size}`
      const kept = await store.put(file(id), chunksOf(whole, 99_991), ROOMY)
      expect(kept.bytes).toBe(size)
      expect((await bytesOf(store, id)).equals(whole)).toBe(true)
      const head = await bucket.client.send(
        new HeadObjectCommand({ Bucket: bucket.options.bucket, Key: `7/${id}` }),
      )
      expect(head).toMatchObject({ ContentLength: size, ContentType: 'image/png' })
      expect(head.ContentEncoding, 'no aws-chunked').toBeUndefined()
      expect(head.ETag?.includes('-'), 'in parts').toBe(size > 5 * MEBIBYTE)
    }
    expect(await bucket.uploads()).toEqual([])
  })

  it('leaves no object and no upload when it is aborted, or the body fails, in the middle of the parts', async () => {
    for (const how of ['abort', 'body', 'limit', 'close'] as const) {
      const abort = new AbortController()
      const reason = new Error(`ended by ${how}`)
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (let count = 0; ; count++) {
          yield Buffer.alloc(MEBIBYTE, count)
          if (count < 12) continue
          expect((await bucket.uploads()).length, 'an upload is under way').toBe(1)
          if (how === 'abort') abort.abort(reason)
          if (how === 'body') throw reason
          if (how === 'close') void store.close()
          if (how !== 'limit') await new Promise(() => undefined)
        }
      }
      const maxBytes = how === 'limit' ? 13 * MEBIBYTE : ROOMY.maxBytes
      const put = store.put(file(`file-${how}`), endless(), { maxBytes, signal: abort.signal })
      if (how === 'abort') await expect(put).rejects.toBe(reason)
      if (how === 'body')
        await expect(put).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR', cause: reason })
      if (how === 'limit') await expect(put).rejects.toMatchObject({ code: 'TOO_LARGE' })
      if (how === 'close') await expect(put).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      expect(await bucket.uploads(), how).toEqual([])
      expect(await bucket.objects(), how).toEqual([])
    }
  })

  it('objects are private: a request without a signature is refused', async () => {
    await store.put(file('private'), chunksOf(Buffer.from('secret')), ROOMY)
    const { endpoint, bucket: name } = bucket.options
    expect((await fetch(`${endpoint}/${name}/7/private`)).status).toBe(403)
  })

  it('a server that hangs ends calls in bounded time, retryable; everything works again when it is back', async () => {
    // Only what must fail is impatient: a busy machine may take its time to succeed.
    const impatient = await open({ timeoutMs: 1_500 })
    const whole = seededRandom(1).bytes(8 * MEBIBYTE)
    await store.put(file('kept'), chunksOf(whole), ROOMY)
    const reading = (await impatient.open(parseRoomId(7), 'kept'))?.body[Symbol.asyncIterator]()
    await reading?.next()
    link.hang()
    const failed = { code: 'FILE_CONVERSION_ERROR', retryable: true }
    const began = Date.now()
    await expect(impatient.put(file('late'), chunksOf(whole), ROOMY)).rejects.toMatchObject(failed)
    await expect(impatient.find(parseRoomId(7), 'kept')).rejects.toMatchObject(failed)
    const readOn = async (): Promise<void> => {
      for (;;) if ((await reading?.next())?.done === true) return
    }
    await expect(readOn()).rejects.toMatchObject(failed)
    expect(Date.now() - began).toBeLessThan(12_000)
    await link.mend()
    await link.cut()
    const cutAt = Date.now()
    await expect(impatient.put(file('later'), chunksOf(whole), ROOMY)).rejects.toMatchObject(failed)
    await sleep(1_000)
    expect(Date.now() - cutAt).toBeLessThan(10_000)
    await link.mend()
    expect((await bytesOf(store, 'kept')).equals(whole)).toBe(true)
    await store.put(file('again'), chunksOf(whole), ROOMY)
    expect(await store.find(parseRoomId(7), 'late')).toBeUndefined()
    expect((await bytesOf(store, 'again')).equals(whole)).toBe(true)
  })

  it('readers that end early give their connections back', async () => {
    const few = await open({ maxOpenFiles: 3 })
    await few.put(file('large'), chunksOf(new Uint8Array(6 * MEBIBYTE)), ROOMY)
    for (let count = 0; count < 20; count++) {
      const reading = await few.open(parseRoomId(7), 'large')
      for await (const _chunk of reading?.body ?? []) break
      await few.open(parseRoomId(7), 'large')
    }
    const bodies = await Promise.all([1, 2, 3].map(() => few.open(parseRoomId(7), 'large')))
    const iterators = bodies.flatMap(body => body?.body[Symbol.asyncIterator]() ?? [])
    await Promise.all(iterators.map(iterator => iterator.next()))
    await expect(few.find(parseRoomId(7), 'large')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    })
    await Promise.all(iterators.map(async iterator => iterator.return?.()))
    expect((await bytesOf(few, 'large')).length).toBe(6 * MEBIBYTE)
  })

  it('names the setting to look at when it cannot start, in bounded time, and never the secret', async () => {
    const { credentials } = bucket.options
    const cases: readonly (readonly [Partial<S3Options>, string, boolean])[] = [
      [{ bucket: 'there-is-no-such-bucket' }, 'S3_BUCKET', false],
      [{ credentials: { accessKeyId: 'wrong', secretAccessKey: 'hush-hush' } }, 'AWS_ACCESS_KEY_ID', false],
      [
        { credentials: { accessKeyId: credentials?.accessKeyId ?? '', secretAccessKey: 'hush-hush' } },
        'AWS_SECRET_ACCESS_KEY',
        false,
      ],
      [{ endpoint: 'http://127.0.0.1:1' }, 'S3_ENDPOINT', true],
      [{ endpoint: 'http://no-such-host.invalid' }, 'S3_ENDPOINT', true],
    ]
    const began = Date.now()
    for (const [changes, setting, retryable] of cases) {
      const error = await s3AttachmentStore({ ...bucket.options, timeoutMs: 3_000, ...changes }).catch(
        (cause: unknown) => cause,
      )
      expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable, details: { waitsFor: setting } })
      expect(String(error)).toContain(setting)
      expect(String(error)).not.toContain('hush-hush')
    }
    link.hang()
    await expect(open({ timeoutMs: 500 })).rejects.toMatchObject({ details: { waitsFor: 'S3_ENDPOINT' } })
    expect(Date.now() - began).toBeLessThan(15_000)
  })

  it('removes at start what a process that died left half uploaded, and only that', async () => {
    const { client, options } = bucket
    for (const Key of ['7/abandoned', 'not/ours/at/all']) {
      await client.send(new CreateMultipartUploadCommand({ Bucket: options.bucket, Key }))
    }
    await open()
    expect((await bucket.uploads()).length, 'both may still be under way').toBe(2)
    const logger = recordingLogger()
    const inTwoDays = { nowMs: () => Date.now() + 2 * 86_400_000, after: () => () => undefined }
    await open({ clock: inTwoDays, logger })
    expect((await bucket.uploads()).map(({ Key }) => Key)).toEqual(['not/ours/at/all'])
    expect(logger.messages('info')).toEqual(['removed uploads that were never finished'])
  })

  it.each(['InsufficientStorage', 'SlowDown'] as const)(
    'G7.4: a store that answers %s to a write, or in the middle of one, keeps no half of a file, and heals',
    async refusal => {
      await using refusing = await refusingStore(bucket.options.endpoint)
      const refused = await open({ endpoint: refusing.url })
      const sizes = [1_000, 12 * MEBIBYTE]
      for (const [butFirst, size] of [
        [0, 1_000],
        [0, 12 * MEBIBYTE],
        [1, 12 * MEBIBYTE],
      ] as const) {
        refusing.refuse(refusal, butFirst)
        await expect(refused.put(file(`${size}`), chunksOf(Buffer.alloc(size)), ROOMY)).rejects.toMatchObject(
          { code: 'FILE_CONVERSION_ERROR', retryable: true },
        )
      }
      expect([await bucket.objects(), await bucket.uploads()]).toEqual([[], []])
      refusing.refuse(undefined)
      for (const size of sizes) {
        await refused.put(file(`${size}`), chunksOf(Buffer.alloc(size)), ROOMY)
        expect((await bytesOf(refused, `${size}`)).length).toBe(size)
      }
    },
  )

  it('what others put into the bucket is no file of ours', async () => {
    const object = { Bucket: bucket.options.bucket, Key: '7/foreign', Body: 'x' }
    await bucket.client.send(new PutObjectCommand(object))
    expect(await store.find(parseRoomId(7), 'foreign')).toBeUndefined()
    expect(await store.open(parseRoomId(7), 'foreign')).toBeUndefined()
  })

  describe('direct access', () => {
    it('G11.4: a link opens its one file, until it expires', async () => {
      const attachment = await store.put(file('shown'), chunksOf(Buffer.from('the bytes')), ROOMY)
      await store.put(file('other'), chunksOf(Buffer.from('others')), ROOMY)
      const signing = await open({ endpoint: bucket.options.endpoint })
      const shown = { expiresMs: 5_000, contentType: 'image/png', contentDisposition: 'inline' }
      const url = (await signing.direct?.url(attachment, shown)) ?? ''
      const answer = await fetch(url)
      expect(await answer.text()).toBe('the bytes')
      expect(answer.headers.get('content-type')).toBe('image/png')
      expect((await fetch(url.replace('/7/shown', '/7/other'))).status).toBe(403)
      await expect.poll(async () => (await fetch(url)).status, { timeout: 15_000, interval: 500 }).toBe(403)
    })

    it('an object that came by a form has the type and the fields of the form', async () => {
      const signing = await open({ endpoint: bucket.options.endpoint })
      const announced = { ...file('direct'), bytes: 1_000 }
      const form = await signing.direct?.form(announced, { expiresMs: 60_000 })
      const data = new FormData()
      for (const [name, value] of Object.entries(form?.fields ?? {})) data.append(name, value)
      data.append(form?.fileField ?? '', new Blob([new Uint8Array(1_000)]))
      const answer = await fetch(form?.url ?? '', { method: 'POST', body: data })
      expect(answer.status).toBe(204)
      expect(await bucket.objects()).toEqual(['pending/7/direct'])
      expect(await signing.find(announced.roomId, 'direct', { pending: true })).toEqual(announced)
      const { ContentType } = await bucket.client.send(
        new GetObjectCommand({ Bucket: bucket.options.bucket, Key: 'pending/7/direct' }),
      )
      expect(ContentType).toBe('image/png')
    })

    it('there is none when clients cannot reach S3', async () => {
      expect((await open({ direct: false })).direct).toBeUndefined()
    })
  })
})
