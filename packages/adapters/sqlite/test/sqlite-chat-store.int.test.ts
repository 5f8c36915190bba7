import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { LogRecord, RoomId } from '@sgs-chat/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bumpEpoch, type SqliteChatStore, sqliteChatStore } from '../src/index.ts'
import { openStoreFile } from '../src/store-file.ts'
import { BEGINNING, chatOf, idsOf, openStore, readLog, temporaryFolder } from './store-fixture.ts'

const newPath = (): string => join(temporaryFolder(), 'chat.db')

async function archive({ log, history }: SqliteChatStore, records: readonly LogRecord[]): Promise<void> {
  const chats = records.flatMap(record => (record.kind === 'chat' ? [record.chat] : []))
  const last = chats.at(-1)
  if (last === undefined) return
  await history.save(chats)
  const to = { position: last.position, log: log.identity, fingerprint: last._id, lost: [] }
  expect(await history.advance(0, await history.watermark(0), to)).toBe(true)
}

describe('the file', () => {
  it('G1.5: every commit is synced before it is acknowledged', () => {
    const file = openStoreFile(newPath())
    expect(file.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(file.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
    file.close()
  })

  it('makes its folder, and keeps everything over a restart', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'chat.db')
    const first = await sqliteChatStore({ path })
    await first.log.append([chatOf('one'), chatOf('two')])
    const { identity } = first.log
    await first.close()
    const second = await openStore({ path })
    expect(second.log.identity).toEqual(identity)
    expect(idsOf(await readLog(second.log))).toEqual(['one', 'two'])
    expect(await second.log.append([chatOf('three')])).toEqual([{ epoch: 1, seq: 2 }])
  })

  it('is closed by closing both of its halves, in any order', async () => {
    const path = newPath()
    const { log, history } = await sqliteChatStore({ path })
    await Promise.all([history.close(), log.close(), log.close()])
    await expect(log.append([chatOf('late')])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(history.watermark(0)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await openStore({ path })
  })

  it('lets the sends before a close through', async () => {
    const path = newPath()
    const store = await sqliteChatStore({ path })
    const sends = Array.from({ length: 500 }, (_, index) => store.log.append([chatOf(`chat-${index}`)]))
    await store.close()
    expect((await Promise.all(sends)).flat()).toHaveLength(500)
    const again = await openStore({ path })
    expect(await readLog(again.log)).toHaveLength(500)
  })

  it('close ends within its limit when the disk does not answer; the lock is held until nothing can write', async () => {
    const path = newPath()
    const store = await sqliteChatStore({ path, closeTimeoutMs: 100 })
    const blocker = new DatabaseSync(path)
    blocker.exec('BEGIN IMMEDIATE')
    const sending = expect(store.log.append([chatOf('stuck')])).rejects.toMatchObject({ outcome: 'unknown' })
    await new Promise(resolve => setImmediate(resolve))
    await store.close()
    blocker.close()
    await sending
    const again = await vi.waitFor(() => sqliteChatStore({ path }), 5_000)
    await again.close()
  })

  it('a new file is its owner’s alone', async () => {
    const path = newPath()
    await openStore({ path })
    for (const name of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['is not an SQLite database', 'this is a text, and a long one at that. '.repeat(100)],
    ['is not an SQLite database', `${'SQLite format 3\0'}${'\xff'.repeat(4_000)}`],
  ])('a file that %s is refused, named with its setting, and left as it was', async (why, content) => {
    const path = newPath()
    writeFileSync(path, content, 'latin1')
    const opening = sqliteChatStore({ path })
    await expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: false })
    await expect(opening).rejects.toThrow(`DATA_DIR: the file ${path} ${why}`)
    expect(readFileSync(path, 'latin1')).toBe(content)
  })

  it('a database of another program, or of a newer version, is refused', async () => {
    const foreign = newPath()
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE shopping (item TEXT)')
    other.close()
    await expect(sqliteChatStore({ path: foreign })).rejects.toThrow('is a database of another program')

    const newer = newPath()
    await (await sqliteChatStore({ path: newer })).close()
    const future = new DatabaseSync(newer)
    future.exec('PRAGMA user_version = 99')
    future.close()
    await expect(sqliteChatStore({ path: newer })).rejects.toThrow('newer version')
  })

  it('a folder in the place of the file is refused', async () => {
    const path = temporaryFolder()
    await expect(sqliteChatStore({ path })).rejects.toThrow(`DATA_DIR: the file ${path} cannot be opened`)
  })
})

describe('the lock', () => {
  it('a second store of this process is refused, also by another name of the file', async () => {
    const path = newPath()
    await openStore({ path })
    const alias = join(temporaryFolder(), 'alias.db')
    symlinkSync(path, alias)
    for (const name of [path, alias]) {
      await expect(sqliteChatStore({ path: name })).rejects.toThrow(
        `DATA_DIR: ${path} is in use by another process`,
      )
    }
    expect(() => bumpEpoch(path)).toThrow('in use')
  })

  it('another process is refused, and let in once the first was killed', async () => {
    const path = newPath()
    const child = spawn(
      process.execPath,
      [
        '--conditions=@sgs-chat/source',
        fileURLToPath(new URL('./storm-child.ts', import.meta.url)),
        path,
        '1',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await expect(sqliteChatStore({ path })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: false,
      details: { waitsFor: 'DATA_DIR' },
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await openStore({ path })
  })

  it('a store that could not be opened leaves no lock behind', async () => {
    const path = newPath()
    writeFileSync(path, 'no database at all'.repeat(100))
    await expect(sqliteChatStore({ path })).rejects.toThrow('not an SQLite database')
    writeFileSync(path, '')
    await openStore({ path })
  })
})

describe('the log', () => {
  it('G1.5: sends of one moment share a transaction, and each keeps its own order', async () => {
    const store = await openStore({ path: newPath() })
    const batches: number[] = []
    await store.log.follow([BEGINNING], {
      batch: (_partition, { records }) => void batches.push(records.length),
      lost: () => expect.unreachable(),
    })
    const positions = await Promise.all(
      Array.from({ length: 200 }, (_, index) => store.log.append([chatOf(`${index}`)])),
    )
    expect(positions.flat().map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, seq) => seq))
    expect(batches).toEqual([200])
  })

  it('refuses what waits beyond its bytes, and takes more once they are written', async () => {
    const store = await openStore({ path: newPath(), maxPendingBytes: 10_000 })
    const big = chatOf('big', 'x'.repeat(6_000))
    const first = store.log.append([big])
    await expect(store.log.append([big])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      outcome: 'rejected',
    })
    await first
    await store.log.append([big])
    expect(await readLog(store.log)).toHaveLength(2)
  })

  it('as many reads as the limit are under way at once, and one more is refused', async () => {
    const store = await openStore({ path: newPath(), maxPendingReads: 3 })
    const read = () => store.history.read({ roomId: chatOf('x').roomId, order: 'newest-first', limit: 9 })
    const answers = await Promise.allSettled([read(), read(), read(), read()])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
    expect(answers[3]).toMatchObject({ reason: { code: 'UNAVAILABLE', retryable: true } })
    expect(await read()).toEqual([])
  })

  it('an aborted send that still waits is not written', async () => {
    const store = await openStore({ path: newPath() })
    const abort = new AbortController()
    const sending = store.log.append([chatOf('withdrawn')], { signal: abort.signal })
    abort.abort(new Error('gone'))
    await expect(sending).rejects.toThrow('gone')
    await store.log.append([chatOf('kept')])
    expect(idsOf(await readLog(store.log))).toEqual(['kept'])
  })

  it('a write that takes too long is answered as unknown, those behind it as rejected; what it wrote is told', async () => {
    const path = newPath()
    const { log } = await openStore({ path, writeTimeoutMs: 200 })
    const seen: string[] = []
    await log.follow([BEGINNING], {
      batch: (_partition, batch) => void seen.push(...idsOf(batch.records)),
      lost: () => expect.unreachable(),
    })
    const blocker = new DatabaseSync(path)
    blocker.exec('BEGIN IMMEDIATE')
    const slow = log.append([chatOf('slow')])
    await new Promise(resolve => setImmediate(resolve))
    const behind = log.append([chatOf('behind')])
    await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true, outcome: 'unknown' })
    await expect(behind).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true, outcome: 'rejected' })
    await expect(log.append([chatOf('late')])).rejects.toMatchObject({ outcome: 'rejected' })
    blocker.close()
    await expect.poll(() => seen).toEqual(['slow'])
    expect(await log.append([chatOf('next')])).toEqual([{ epoch: 1, seq: 1 }])
  })

  it('followers that begin anywhere, in the middle of sends, miss nothing and see nothing twice', async () => {
    // So little memory that they have to read the file.
    const store = await openStore({ path: newPath(), recentBytes: 2_000, maxBatchRecords: 7 })
    const seen: string[][] = []
    const total = 400
    for (let index = 0; index < total; index++) {
      const sending = store.log.append([chatOf(`${index}`)])
      if (index % 40 === 0) {
        const from = Math.floor(index / 2)
        const ids: string[] = []
        seen.push(ids)
        let next = from
        await store.log.follow([{ epoch: 1, seq: from }], {
          batch(_partition, batch) {
            expect(batch.from.seq).toBe(next)
            ids.push(...idsOf(batch.records))
            next = batch.next.seq
          },
          lost: () => expect.unreachable(),
        })
      }
      if (index % 3 === 0) await sending
    }
    await expect.poll(() => seen.every(ids => ids.at(-1) === `${total - 1}`)).toBe(true)
    seen.forEach((ids, index) => {
      const from = index * 20
      expect(ids).toEqual(Array.from({ length: total - from }, (_, at) => `${from + at}`))
    })
  })

  it('G1.3: a kind, or a layout, of a later version is followed as unknown', async () => {
    const path = newPath()
    const first = await sqliteChatStore({ path })
    await first.log.append([chatOf('one')])
    await first.close()
    const file = new DatabaseSync(path)
    file.exec(`INSERT INTO log VALUES (1, 'edit', 1, '{}'), (2, 'chat', 2, '{}'), (3, 'chat', 1, 'damage')`)
    file.close()
    const { log } = await openStore({ path })
    await log.append([chatOf('two')])
    expect(idsOf(await readLog(log))).toEqual(['one', 'edit', 'chat/2', 'unreadable', 'two'])
  })

  it('lets go of what is archived in small steps, keeps what it must, and never counts a seq again', async () => {
    const path = newPath()
    const store = await sqliteChatStore({ path, keepRecords: 10, recentBytes: 0 })
    await Promise.all(Array.from({ length: 100 }, (_, index) => store.log.append([chatOf(`${index}`)])))
    const records = await readLog(store.log)
    await archive(store, records.slice(0, 50))
    expect(await store.log.ranges()).toEqual([{ first: { epoch: 1, seq: 39 }, next: { epoch: 1, seq: 100 } }])
    const lost: unknown[] = []
    const kept: string[] = []
    const followed = await store.log.follow([BEGINNING], {
      batch: (_partition, batch) => void kept.push(...idsOf(batch.records)),
      lost: (_partition, range) => void lost.push(range),
    })
    await expect.poll(() => kept.length).toBe(61)
    expect(lost).toEqual([{ from: BEGINNING, to: { epoch: 1, seq: 39 } }])
    await followed.close()
    await store.close()

    const bare = await openStore({ path, keepRecords: 0 })
    await archive(bare, records)
    expect(await bare.log.ranges()).toEqual([{ first: { epoch: 1, seq: 99 }, next: { epoch: 1, seq: 100 } }])
    expect(await bare.log.append([chatOf('next')])).toEqual([{ epoch: 1, seq: 100 }])
  })

  it('G2.4: a bumped epoch begins at the end; what was before keeps its own', async () => {
    const path = newPath()
    const before = await sqliteChatStore({ path })
    await before.log.append([chatOf('one'), chatOf('two')])
    await archive(before, await readLog(before.log))
    await before.close()
    expect(bumpEpoch(path)).toEqual({ epoch: 2, firstSeq: 2 })

    const { log, history } = await openStore({ path })
    expect(log.identity.epoch).toBe(2)
    expect((await history.watermark(0))?.log).toEqual(log.identity)
    expect(await log.ranges()).toEqual([{ first: BEGINNING, next: { epoch: 2, seq: 2 } }])
    expect(await log.append([chatOf('three')])).toEqual([{ epoch: 2, seq: 2 }])
    const records = await readLog(log)
    expect(records.map(({ position }) => position)).toEqual([
      { epoch: 1, seq: 0 },
      { epoch: 1, seq: 1 },
      { epoch: 2, seq: 2 },
    ])
    // A place that epoch 1 had in a life that the backup does not know.
    const seen: string[] = []
    await log.follow([{ epoch: 1, seq: 500 }], {
      batch: (_partition, batch) => void seen.push(...idsOf(batch.records)),
      lost: () => expect.unreachable(),
    })
    await expect.poll(() => seen).toEqual(['three'])
  })
})

describe('the history', () => {
  it('keeps the largest room and any text', async () => {
    const { log, history } = await openStore({ path: newPath() })
    const chat = chatOf('id', `"quotes" \\ 안녕 👋 \u2028 '; DROP TABLE chats`, Number.MAX_SAFE_INTEGER)
    const [position] = await log.append([chat])
    const [record] = await readLog(log)
    const logged = { ...chat, position }
    expect(record).toEqual({ kind: 'chat', position, chat: logged })
    await history.save([logged as never])
    expect(await history.find(chat.roomId, chat._id)).toEqual(logged)
    expect(await history.read({ roomId: chat.roomId, order: 'oldest-first', limit: 10 })).toEqual([logged])
    expect(await history.find(1 as RoomId, chat._id)).toBeUndefined()
  })

  it('a read does not wait for a commit under way', async () => {
    const { log, history } = await openStore({ path: newPath() })
    const order: string[] = []
    const big = Array.from({ length: 20_000 }, (_, index) => chatOf(`${index}`, 'x'.repeat(1_000)))
    const writing = log.append(big).then(() => order.push('write'))
    // Lets the write leave for its thread.
    await new Promise(resolve => setImmediate(resolve))
    await history.watermark(0)
    order.push('read')
    await writing
    expect(order).toEqual(['read', 'write'])
  })
})

it('runs from dist as from sources', async context => {
  const dist = fileURLToPath(new URL('../dist/index.js', import.meta.url))
  const script = `
    const { sqliteChatStore } = await import(process.argv[1])
    const store = await sqliteChatStore({ path: process.argv[2] })
    console.log(store.log.identity.topic)
    await store.close()`
  try {
    readFileSync(dist)
  } catch {
    return context.skip('nothing is built')
  }
  const args = ['--input-type=module', '-e', script, dist, newPath()]
  expect(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()).toBe('sqlite')
})
