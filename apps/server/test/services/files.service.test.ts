import { describe, expect, it } from 'vitest'
import { useService } from '../../../../tools/services/use-service.ts'
import { fillIn, PHOTO, prepareUpload } from '../e2e/front-end-files.ts'
import { postChat } from '../e2e/http-calls.ts'
import { type ServerProcess, testServers, tokenFor } from '../e2e/server-process.ts'

const s3 = await useService('s3')

const { start } = testServers()

const ALICE = tokenFor('alice')
const FILE = { roomId: 7, name: '사진 1.jpg', contentType: 'image/jpeg', bytes: PHOTO.length }

function serverWith(settings: Record<string, string>): Promise<ServerProcess> {
  return start({ ...s3?.env, ...settings })
}

async function sendFile(server: ServerProcess, name: string, bytes: Uint8Array): Promise<string> {
  const prepared = await prepareUpload(server.url, ALICE, { ...FILE, name, bytes: bytes.length })
  expect(await fillIn(prepared, bytes)).toBe(204)
  const chat = { roomId: 7, messageType: 'FILE', content: prepared.link }
  expect((await postChat(server.url, ALICE, chat)).status).toBe(201)
  return prepared.link
}

describe.skipIf(s3 === undefined)('files in S3', () => {
  it('R6, R12: S3_DELIVERY=direct sends browsers to S3 and back, under a type that they may show', async () => {
    const server = await serverWith({ S3_DELIVERY: 'direct' })
    const prepared = await prepareUpload(server.url, ALICE, FILE)
    expect(prepared.upload.url.startsWith(s3?.address ?? '-')).toBe(true)
    const policy = (await fetch(`${server.url}/`, { method: 'HEAD' })).headers.get('content-security-policy')
    expect(policy, 'the page may ask there').toContain(`connect-src 'self' ${s3?.address}`)
    const chat = { roomId: 7, messageType: 'IMAGE', content: prepared.link }
    expect((await postChat(server.url, ALICE, chat)).body.code).toBe('CHAT-003')
    expect(await fillIn(prepared, PHOTO)).toBe(204)
    expect((await postChat(server.url, ALICE, chat)).status).toBe(201)

    const sent = await fetch(prepared.link, { redirect: 'manual' })
    expect([sent.status, sent.headers.get('cache-control')]).toEqual([302, 'no-store'])
    const shown = await fetch(prepared.link)
    expect(shown.url.startsWith(s3?.address ?? '-')).toBe(true)
    expect(shown.headers.get('content-type')).toBe('image/jpeg')
    expect(shown.headers.get('content-disposition')).toMatch(/^inline; .*UTF-8''%EC%82%AC%EC%A7%84%201\.jpg$/)
    expect(Buffer.from(await shown.arrayBuffer()).includes('Alice in Busan')).toBe(false)
    const small = await fetch(`${prepared.link}&size=160`)
    expect(small.headers.get('content-type')).toBe('image/webp')
    const told = await fetch(prepared.link, { method: 'HEAD', redirect: 'manual' })
    expect([told.status, told.headers.get('x-picture-width')]).toEqual([200, '32'])

    const page = await sendFile(server, 'page.html', Buffer.from('<!doctype html><script>alert(1)</script>'))
    const run = await fetch(page)
    expect(run.headers.get('content-type')).toBe('application/octet-stream')
    expect(run.headers.get('content-disposition')).toMatch(/^attachment; /)
  })

  it('G11.4, R6: FILE_ACCESS=member is asked before the way to S3 is told', async () => {
    const server = await serverWith({ S3_DELIVERY: 'direct', FILE_ACCESS: 'member' })
    const link = await sendFile(server, 'photo.jpg', PHOTO)
    expect((await fetch(link, { redirect: 'manual' })).status).toBe(401)
    const headers = { authorization: `Bearer ${ALICE}` }
    expect((await fetch(link, { redirect: 'manual', headers })).status).toBe(302)
  })

  it('R6, R12: an S3 that browsers cannot reach is streamed by this server, both ways', async () => {
    const server = await serverWith({})
    const link = await sendFile(server, 'photo.jpg', PHOTO)
    const shown = await fetch(link, { redirect: 'manual' })
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    expect(Buffer.from(await shown.arrayBuffer()).includes('Alice in Busan')).toBe(false)
  })
})
