import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { recordingLogger } from '@sgs-chat/contract/fakes'
import { type AttachmentFields, parseRoomId, userId } from '@sgs-chat/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { s3AttachmentStore } from '../src/index.ts'
import { hasS3, testBucket } from './s3-fixture.ts'

const MINUTES = 60_000
const LINK = { expiresMs: 5 * MINUTES, contentType: 'text/plain', contentDisposition: 'inline' }
const BYTES = Buffer.from('the bytes')

function file(id: string): AttachmentFields {
  return {
    id,
    roomId: parseRoomId(7),
    uploaderId: userId('alice'),
    name: 'note.txt',
    extension: 'txt',
    contentType: 'text/plain',
    createdAt: 1_700_000_000_000,
  }
}

async function* body(): AsyncGenerator<Uint8Array> {
  yield BYTES
}

/** The whole machine's clock: the SDK's as well. */
function setClockOff(offsetMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offsetMs })
}

afterEach(() => {
  vi.useRealTimers()
})

describe.skipIf(!hasS3)('a clock that is off', () => {
  it.each([
    ['20 minutes behind', -20 * MINUTES],
    ['20 minutes ahead', 20 * MINUTES],
    ['a day ahead', 1_440 * MINUTES],
  ])('%s: is said at start, and files, links and forms work by the clock of S3', async (_, offsetMs) => {
    await using bucket = await testBucket()
    const { endpoint } = bucket.options
    const logger = recordingLogger()
    setClockOff(offsetMs)
    // The signer of links is another client than the one that S3 has answered.
    const publicEndpoint = endpoint.replace('127.0.0.1', 'localhost')
    await using store = await s3AttachmentStore({ ...bucket.options, publicEndpoint, logger })
    expect(logger.messages('warn')).toEqual([expect.stringContaining('S3_ENDPOINT')])
    const kept = await store.put(file('kept'), body(), { maxBytes: 100 })
    const answer = await fetch((await store.direct?.url(kept, LINK)) ?? '')
    expect([answer.status, await answer.text()]).toEqual([200, 'the bytes'])
    const announced = { ...file('sent'), bytes: BYTES.length }
    const form = await store.direct?.form(announced, { expiresMs: 10 * MINUTES })
    const data = new FormData()
    for (const [name, value] of Object.entries(form?.fields ?? {})) data.append(name, value)
    data.append(form?.fileField ?? '', new Blob([BYTES]))
    expect((await fetch(form?.url ?? '', { method: 'POST', body: data })).status).toBe(204)
    // By its own clock it came long ago, or has not come yet.
    const old = await Array.fromAsync(store.pendingBefore(Date.now() - 5 * MINUTES))
    expect(old, 'nothing is collected that has just come').toEqual([])
    expect(await Array.fromAsync(store.pendingBefore(Date.now() + 5 * MINUTES))).toHaveLength(1)
  })

  it('that is right is not spoken of', async () => {
    await using bucket = await testBucket()
    const logger = recordingLogger()
    await using _store = await s3AttachmentStore({ ...bucket.options, logger })
    expect(logger.messages('warn')).toEqual([])
  })
})

describe('an S3 that takes no request for its time', () => {
  it('ends the start, names the clock and the setting, in bounded time', async () => {
    const error = '<Error><Code>RequestTimeTooSkewed</Code><Message>too large</Message></Error>'
    let asked = 0
    const server = createServer((_request, response) => {
      asked += 1
      response.writeHead(403, { 'content-type': 'application/xml' }).end(error)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const began = performance.now()
    const refused = await s3AttachmentStore({
      bucket: 'files',
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'hush-hush' },
    }).catch((cause: unknown) => cause)
    server.close()
    expect(refused).toMatchObject({ code: 'UNAVAILABLE', retryable: false })
    expect(String(refused)).toMatch(/S3_ENDPOINT.*this machine's clock/)
    expect(String(refused)).not.toContain('hush-hush')
    expect(asked).toBeLessThanOrEqual(3)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
