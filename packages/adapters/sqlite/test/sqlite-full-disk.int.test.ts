import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ChatError } from '@sgs-chat/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SqliteChatStore } from '../src/index.ts'
import { chatOf, idsOf, openStore, readLog, temporaryFolder } from './store-fixture.ts'

const ROOM = chatOf('any').roomId

/** A real disk of 8 MiB; undefined where this user may not mount one. */
function smallDisk(folder: string): string | undefined {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  try {
    execFileSync('sh', ['-c', 'mount -t tmpfs -o size=8m none "$0"', disk], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('sh', ['-c', 'umount -l "$0"', disk], { stdio: 'ignore' }))
  return disk
}

/** Sends until one is refused; the acknowledged ids. */
async function fill(store: SqliteChatStore): Promise<{ ids: string[]; error: ChatError }> {
  const ids: string[] = []
  for (let count = 0; count < 10_000; count++) {
    const chat = chatOf(`fill-${count}`, 'x'.repeat(8_000))
    try {
      const [position] = await store.log.append([chat])
      if (position === undefined) throw new Error('no position')
      await store.history.save([{ ...chat, position }])
      ids.push(chat._id)
    } catch (error) {
      if (!ChatError.is(error)) throw error
      return { ids, error }
    }
  }
  throw new Error('it never got full')
}

async function checkFull(store: SqliteChatStore, ids: readonly string[], error: ChatError): Promise<void> {
  expect(error.code).toBe('UNAVAILABLE')
  expect(error.retryable).toBe(true)
  expect(error.outcome).toBe('rejected')
  const batch = Array.from({ length: 20 }, (_, index) => chatOf(`batch-${index}`, 'y'.repeat(30_000)))
  await expect(store.log.append(batch)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  const page = await store.history.read({ roomId: ROOM, order: 'oldest-first', limit: 10_000 })
  expect(page.slice(0, ids.length).map(chat => chat._id)).toEqual(ids)
  const logged = idsOf(await readLog(store.log))
  expect(logged.filter(id => id.startsWith('batch-'))).toEqual([])
  expect(logged.slice(0, ids.length)).toEqual(ids)
}

describe('G1.5: a full disk refuses sends, keeps reading, and heals', () => {
  it('with a limit on the file', async () => {
    const path = join(temporaryFolder(), 'chat.db')
    const store = await openStore({ path, maxFileBytes: 2_000_000 })
    const { ids, error } = await fill(store)
    await checkFull(store, ids, error)
    const [before] = await store.log.ranges()

    const operator = new DatabaseSync(path, { timeout: 5_000 })
    operator.exec("DELETE FROM chats WHERE id < 'fill-5'")
    operator.close()
    const [position] = await store.log.append([chatOf('after')])
    expect(position).toEqual(before?.next)
  })

  it('with a disk that is full', async context => {
    const disk = smallDisk(temporaryFolder())
    if (disk === undefined) return context.skip('this user may not mount a file system')
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(4_000_000))
    const store = await openStore({ path: join(disk, 'chat.db') })
    const { ids, error } = await fill(store)
    expect(ids.length).toBeGreaterThan(10)
    await checkFull(store, ids, error)

    rmSync(join(disk, 'ballast'))
    await store.log.append([chatOf('after')])
    expect(idsOf(await readLog(store.log)).at(-1)).toBe('after')
    await store.close()
  })
})
