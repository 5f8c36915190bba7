import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Attachment, type AttachmentStore, parseRoomId, userId } from '@sgs-chat/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type DiskAttachmentStoreOptions, diskAttachmentStore } from '../src/index.ts'

const ROOM = parseRoomId(7)
const LIMIT = { maxBytes: 10_000_000 }

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sgs-chat-disk-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openStore(options: DiskAttachmentStoreOptions): Promise<AttachmentStore> {
  const store = await diskAttachmentStore(options)
  onTestFinished(() => store.close())
  return store
}

function attachmentOf(id: string, name = 'picture.png'): Omit<Attachment, 'bytes'> {
  return {
    id,
    roomId: ROOM,
    uploaderId: userId('alice'),
    name,
    extension: 'png',
    contentType: 'image/png',
    createdAt: 1_760_000_000_000,
  }
}

async function* bodyOf(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

/** The whole body, a character for each byte. */
async function contentOf(store: AttachmentStore, id: string): Promise<string | undefined> {
  const opened = await store.open(ROOM, id)
  if (opened === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of opened.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

/** Every file under the folder. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

describe('a file', () => {
  it('lies in its room, whole, and is there after a restart', async () => {
    const folder = temporaryFolder()
    const first = await diskAttachmentStore({ folder })
    const body = randomBytes(200_001)
    const name = '../../etc/안녕 "x"\n.png'
    const put = await first.put(
      attachmentOf('abc_DEF-1', name),
      bodyOf(body.subarray(0, 3), body.subarray(3)),
      LIMIT,
    )
    expect(put).toEqual({ ...attachmentOf('abc_DEF-1', name), bytes: 200_001 })
    await first.close()
    expect(filesIn(folder)).toEqual(['7/abc_DEF-1'])
    expect(readFileSync(join(folder, '7/abc_DEF-1')).subarray(-200_001).equals(body)).toBe(true)

    const second = await openStore({ folder })
    expect(await second.find(ROOM, 'abc_DEF-1')).toEqual(put)
    expect(await contentOf(second, 'abc_DEF-1')).toBe(body.toString('latin1'))
    expect(await second.find(parseRoomId(8), 'abc_DEF-1')).toBeUndefined()
    await second.remove(ROOM, 'abc_DEF-1')
    await second.remove(ROOM, 'abc_DEF-1')
    expect(await second.open(ROOM, 'abc_DEF-1')).toBeUndefined()
    expect(filesIn(folder)).toEqual([])
  })

  it('an empty one is a file too', async () => {
    const store = await openStore({ folder: temporaryFolder() })
    expect(await store.put(attachmentOf('empty'), bodyOf(), { maxBytes: 0 })).toMatchObject({ bytes: 0 })
    expect(await contentOf(store, 'empty')).toBe('')
  })

  it('its limit holds at N and N + 1, and nothing of one too large is kept', async () => {
    const folder = temporaryFolder()
    const store = await openStore({ folder })
    await store.put(attachmentOf('n'), bodyOf('12345', '67890'), { maxBytes: 10 })
    await expect(
      store.put(attachmentOf('n-plus-1'), bodyOf('12345', '678901'), { maxBytes: 10 }),
    ).rejects.toMatchObject({ code: 'TOO_LARGE', details: { limit: 10, unit: 'bytes' } })
    expect(filesIn(folder)).toEqual(['7/n'])
  })

  it('of a body that fails, or is given up, nothing is kept', async () => {
    const folder = temporaryFolder()
    const store = await openStore({ folder })
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('some')
      throw new Error('the connection is gone')
    }
    await expect(store.put(attachmentOf('a'), failing(), LIMIT)).rejects.toMatchObject({
      code: 'FILE_CONVERSION_ERROR',
    })
    const abort = new AbortController()
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('some')
      abort.abort(new Error('given up'))
      await new Promise(() => undefined)
    }
    const options = { ...LIMIT, signal: abort.signal }
    await expect(store.put(attachmentOf('b'), endless(), options)).rejects.toThrow('given up')
    expect(filesIn(folder)).toEqual([])
  })

  it('streams: 200 MB in and out do not stay in memory', async () => {
    const store = await openStore({ folder: temporaryFolder() })
    const chunk = randomBytes(1_000_000)
    async function* large(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 200; count++) yield chunk
    }
    let peak = 0
    const before = process.memoryUsage().arrayBuffers
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
    }, 5)
    const { bytes } = await store.put(attachmentOf('large'), large(), { maxBytes: 200_000_000 })
    clearInterval(watch)
    expect(bytes).toBe(200_000_000)
    let read = 0
    for await (const part of (await store.open(ROOM, 'large'))?.body ?? []) {
      read += part.length
      expect(part.length).toBeLessThanOrEqual(65_536)
    }
    expect(read).toBe(200_000_000)
    expect(peak).toBeLessThan(20_000_000)
  })

  it('more files at once than may are refused as retryable', async () => {
    const store = await openStore({ folder: temporaryFolder(), maxOpenFiles: 1 })
    let finish: () => void = () => undefined
    async function* slow(): AsyncGenerator<Uint8Array> {
      await new Promise<void>(resolve => {
        finish = resolve
      })
      yield Buffer.from('x')
    }
    const putting = store.put(attachmentOf('slow'), slow(), LIMIT)
    await expect.poll(() => finish.name).not.toBe('finish')
    await expect(store.find(ROOM, 'slow')).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    finish()
    await putting
    expect(await store.find(ROOM, 'slow')).toMatchObject({ bytes: 1 })
  })
})

describe('never outside its folder', () => {
  const bad = [
    '',
    '.',
    '..',
    '../x',
    'a/b',
    'a\\b',
    '/etc/passwd',
    'a.b',
    'a\u0000',
    'x'.repeat(129),
    '한글',
    'a b',
    '%2e',
  ]

  it.each(bad)('the id %j names no file', async id => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'secret'), 'secret')
    const inner = join(folder, 'inner')
    const store = await openStore({ folder: inner })
    await expect(store.put(attachmentOf(id), bodyOf('x'), LIMIT)).rejects.toMatchObject({
      code: 'FILE_CONVERSION_ERROR',
    })
    expect(await store.find(ROOM, id)).toBeUndefined()
    expect(await store.open(ROOM, id)).toBeUndefined()
    await store.remove(ROOM, id)
    expect(filesIn(folder)).toEqual(['secret'])
  })

  it('a room that is no room names no folder', async () => {
    const store = await openStore({ folder: temporaryFolder() })
    for (const room of ['../7', '.incoming', -1, 1.5, Number.NaN] as never[]) {
      expect(await store.find(room, 'id')).toBeUndefined()
      await expect(
        store.put({ ...attachmentOf('id'), roomId: room }, bodyOf('x'), LIMIT),
      ).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR' })
    }
  })

  it('links are not followed, neither a file nor a room', async () => {
    const outside = temporaryFolder()
    const folder = temporaryFolder()
    const elsewhere = await openStore({ folder: outside })
    await elsewhere.put(attachmentOf('real'), bodyOf('of another store'), LIMIT)
    const store = await openStore({ folder })
    await store.put(attachmentOf('mine'), bodyOf('mine'), LIMIT)
    symlinkSync(join(outside, '7', 'real'), join(folder, '7', 'real'))
    expect(await store.find(ROOM, 'real')).toBeUndefined()
    expect(await store.open(ROOM, 'real')).toBeUndefined()
    symlinkSync(join(outside, '7'), join(folder, '8'))
    const inLink = { ...attachmentOf('real'), roomId: parseRoomId(8) }
    expect(await store.find(parseRoomId(8), 'real')).toBeUndefined()
    await expect(store.put(inLink, bodyOf('x'), LIMIT)).rejects.toMatchObject({
      code: 'FILE_CONVERSION_ERROR',
    })
    await store.remove(parseRoomId(8), 'real')
    expect(await contentOf(elsewhere, 'real')).toBe('of another store')
  })

  it('what is not one of its files is not given out', async () => {
    const folder = temporaryFolder()
    const store = await openStore({ folder })
    await store.put(attachmentOf('mine'), bodyOf('mine'), LIMIT)
    writeFileSync(join(folder, '7', 'strange'), 'placed by hand')
    writeFileSync(join(folder, '7', 'other'), readFileSync(join(folder, '7', 'mine')))
    mkdirSync(join(folder, '7', 'folder'))
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, '7', 'pipe')])
    for (const id of ['strange', 'other', 'folder', 'pipe']) {
      expect(await store.find(ROOM, id), id).toBeUndefined()
      expect(await store.open(ROOM, id), id).toBeUndefined()
    }
  })
})

describe('the folder', () => {
  it('half files of a process that was killed are gone after the start', async () => {
    const folder = temporaryFolder()
    const store = await diskAttachmentStore({ folder })
    await store.put(attachmentOf('kept'), bodyOf('kept'), LIMIT)
    await store.close()
    writeFileSync(join(folder, '.incoming', 'half'), 'half')
    await openStore({ folder })
    expect(filesIn(folder)).toEqual(['7/kept'])
  })

  it('one that cannot be used is refused at start with its setting', async () => {
    const folder = join(temporaryFolder(), 'file')
    writeFileSync(folder, 'not a folder')
    const opening = diskAttachmentStore({ folder })
    await expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: false })
    await expect(opening).rejects.toThrow(`DATA_DIR: the folder ${folder} cannot be used`)
  })

  it('a full disk refuses the file with CHAT-033, keeps no half of it, and heals', async context => {
    const folder = temporaryFolder()
    try {
      execFileSync('sh', ['-c', 'mount -t tmpfs -o size=1m none "$0"', folder], { stdio: 'ignore' })
    } catch {
      return context.skip('this user may not mount a file system')
    }
    onTestFinished(() => void execFileSync('sh', ['-c', 'umount -l "$0"', folder], { stdio: 'ignore' }))
    const store = await openStore({ folder })
    await store.put(attachmentOf('small'), bodyOf('small'), LIMIT)
    const large = Array.from({ length: 40 }, () => randomBytes(50_000))
    await expect(store.put(attachmentOf('large'), bodyOf(...large), LIMIT)).rejects.toMatchObject({
      code: 'FILE_CONVERSION_ERROR',
      description: 'the file could not be stored: the disk is full',
      retryable: true,
    })
    expect(filesIn(folder)).toEqual(['7/small'])
    expect(await contentOf(store, 'small')).toBe('small')
    await store.put(attachmentOf('fits'), bodyOf(randomBytes(500_000)), LIMIT)
    await store.close()
  })

  it('close waits for files that are being written, then refuses', async () => {
    const folder = temporaryFolder()
    const store = await diskAttachmentStore({ folder })
    const putting = store.put(attachmentOf('last'), bodyOf('x', 'y'), LIMIT)
    await Promise.all([store.close(), store.close()])
    expect(filesIn(folder)).toEqual(['7/last'])
    await putting
    await expect(store.find(ROOM, 'last')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
