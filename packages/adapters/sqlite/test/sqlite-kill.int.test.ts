import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type LoggedChat, type LogRecord, parseRoomId } from '@sgs-chat/core'
import { expect, it, onTestFinished } from 'vitest'
import { type SqliteChatStore, sqliteChatStore } from '../src/index.ts'
import { readLog, temporaryFolder } from './store-fixture.ts'

const CHILD = fileURLToPath(new URL('./storm-child.ts', import.meta.url))
const ROUNDS = 5
/** What `storm-child.ts` sends into. */
const ROOMS = 7
const SEED = 20_261_122

/** Numbers 0 … 1 that are the same for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Runs the storm, kills it after that many acknowledged chats, answers all that it acknowledged. */
async function killedStorm(path: string, senders: number, killAfter: number): Promise<Map<string, number>> {
  const args = ['--conditions=@sgs-chat/source', CHILD, path, String(senders)]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const acknowledged = new Map<string, number>()
  if (child.stdout === null) throw new Error('the child has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const [id, seq] = line.split(' ')
    // A line that the kill cut in two acknowledges nothing that can be checked.
    if (id?.length === 36 && seq !== undefined && /^\d+$/.test(seq)) acknowledged.set(id, Number(seq))
    if (acknowledged.size === killAfter) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  return acknowledged
}

/** The whole history by _id. */
async function readHistory({ history }: SqliteChatStore): Promise<Map<string, LoggedChat>> {
  const archived = new Map<string, LoggedChat>()
  for (let room = 0; room < ROOMS; room++) {
    const query = { roomId: parseRoomId(room), order: 'oldest-first', limit: 1_000_000 } as const
    for (const chat of await history.read(query)) archived.set(chat._id, chat)
  }
  return archived
}

/** Everything up to the watermark is in the history, and nothing in it is other than in the log. */
async function checkAgreement(
  { log, history }: SqliteChatStore,
  records: readonly LogRecord[],
  archived: ReadonlyMap<string, LoggedChat>,
): Promise<void> {
  const watermark = (await history.watermark(0))?.position.seq ?? -1
  const [range] = await log.ranges()
  expect(watermark).toBeLessThan(range?.next.seq ?? 0)
  for (const record of records) {
    if (record.kind !== 'chat') throw new Error(`a record of an unknown kind at ${record.position.seq}`)
    const { chat } = record
    const copy = archived.get(chat._id)
    if (copy !== undefined) expect(copy).toEqual(chat)
    else expect(chat.position.seq).toBeGreaterThan(watermark)
  }
  for (const { position } of archived.values()) expect(position.seq).toBeLessThan(range?.next.seq ?? 0)
}

it(`G1.5: nothing acknowledged is lost when the process is killed in a storm (seed ${SEED})`, async () => {
  const random = seededRandom(SEED)
  const path = join(temporaryFolder(), 'chat.db')
  const acknowledged = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    const senders = 1 + Math.floor(random() * 200)
    const killAfter = 100 + Math.floor(random() * 3_000)
    for (const [id, seq] of await killedStorm(path, senders, killAfter)) acknowledged.set(id, seq)

    const store = await sqliteChatStore({ path })
    const [range] = await store.log.ranges()
    const records = await readLog(store.log, range?.first)
    const seqs = new Map(
      records.flatMap(r => (r.kind === 'chat' ? [[String(r.chat._id), r.position.seq]] : [])),
    )
    expect(seqs.size, 'every record has an _id of its own').toBe(records.length)
    const newestSeq = (range?.next.seq ?? 0) - 1
    expect(records.at(-1)?.position.seq).toBe(newestSeq)
    const archived = await readHistory(store)
    await checkAgreement(store, records, archived)
    // What the log has let go by now is in the history.
    for (const [id, seq] of acknowledged) {
      expect(seqs.get(id) ?? archived.get(id)?.position.seq, `round ${round}: ${id}`).toBe(seq)
    }
    await store.close()
  }
}, 120_000)
