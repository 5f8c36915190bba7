import assert from 'node:assert/strict'
import { setImmediate as turnEnd } from 'node:timers/promises'
import { type SeededRandom, seededRandom } from '@sgs-chat/contract/fakes'
import type { Position } from '@sgs-chat/core'
import { describe, it } from 'vitest'
import type { DriverMessage } from '../src/kafka-driver.ts'
import { LogEpochs } from '../src/log-epochs.ts'
import type { FetchTarget } from '../src/log-fetcher.ts'
import { encodeChat } from '../src/log-record.ts'
import { type LogStep, PartitionReader } from '../src/partition-reader.ts'
import { PartitionSteps } from '../src/partition-steps.ts'
import { PartitionTail, TailBudget } from '../src/partition-tail.ts'
import { sampleChat } from './sample-chat.ts'

const epochs = new LogEpochs(undefined, 'log', 1)
const start: Position = { epoch: 1, seq: 0 }

/** One partition in memory, with one broker that answers when it is told to. */
class OnePartition {
  readonly records: DriverMessage[] = []
  readonly #targets = new Set<FetchTarget>()
  /** Records that were fetched by those who ask. */
  fetched = 0

  append(count: number): number {
    const offset = this.records.length
    for (let index = 0; index < count; index++) {
      const { record } = encodeChat(chatAt(offset + index))
      this.records.push(messageAt(offset + index, Buffer.from(record.value)))
    }
    return offset
  }

  plant(text: string): void {
    this.records.push(messageAt(this.records.length, Buffer.from(text)))
  }

  add(target: FetchTarget): void {
    this.#targets.add(target)
  }

  remove(target: FetchTarget): void {
    this.#targets.delete(target)
  }

  wake(): void {
    // It answers in its own time.
  }

  /** Everybody who waits for records that are there gets some. */
  answer(most = Number.POSITIVE_INFINITY): void {
    for (const target of this.#targets) {
      const offset = target.wanted()
      if (offset === undefined || offset >= this.records.length) continue
      const messages = this.records.slice(offset, offset + most)
      this.fetched += messages.length
      target.take({ messages, nextOffset: offset + messages.length })
    }
  }
}

function messageAt(offset: number, value: Buffer): DriverMessage {
  return { key: null, value, headers: {}, offset: String(offset), timestamp: '0' }
}

function chatAt(offset: number) {
  return { ...sampleChat(), content: `chat ${offset}` }
}

/** A follower of the partition, which takes what is fetched and what was appended here, and its tail. */
class Follower {
  readonly steps: LogStep[] = []
  readonly tail: PartitionTail
  readonly reader: PartitionReader

  constructor(from: Position, budget: TailBudget) {
    const take = (step: LogStep): void => {
      this.steps.push(step)
      if (step.step === 'batch') this.tail.push(step)
      else this.tail.skipTo(step.range.to.seq)
    }
    this.reader = new PartitionReader({ partition: 0, from, epochs, isReady: () => true, take })
    this.tail = new PartitionTail(from.seq, budget)
  }
}

/** What has come: texts, and that batches join on to each other. */
class Taken {
  readonly texts: string[] = []
  poison = 0
  next = start.seq

  take(step: LogStep | undefined): void {
    assert.equal(step?.step, 'batch')
    const { batch, poison } = step as Extract<LogStep, { step: 'batch' }>
    assert.equal(batch.from.seq, this.next, 'a hole or a double')
    let seq = batch.from.seq - 1
    for (const record of batch.records) {
      assert.ok(record.position.seq > seq && record.position.seq < batch.next.seq)
      seq = record.position.seq
      this.texts.push(record.kind === 'chat' ? record.chat.content : record.name)
    }
    this.poison += poison.length
    this.next = batch.next.seq
  }
}

const never = new AbortController().signal

/** Whatever the order of things, the archiver gets every record once. @returns how many it fetched itself */
async function interleaved(random: SeededRandom, budgetBytes: number): Promise<number> {
  const log = new OnePartition()
  const followed = new OnePartition()
  const follower = new Follower(start, new TailBudget(budgetBytes))
  followed.add(follower.reader)
  let isFollowed = random.chance(0.8)
  const tailOf = () => (isFollowed ? follower.tail : undefined)
  const steps = new PartitionSteps({ epochs, fetcher: log, tailOf }, 0, start)
  const taken = new Taken()
  let isAsking = false
  let failure: Error | undefined
  const ask = (): void => {
    if (failure !== undefined) throw failure
    if (isAsking) return
    isAsking = true
    steps
      .next(never)
      .then(step => taken.take(step))
      .catch((error: Error) => {
        failure = error
      })
      .finally(() => {
        isAsking = false
      })
  }
  for (let turn = 0; turn < 150; turn++) {
    const action = random.int(0, 6)
    if (action === 0) {
      const count = random.int(1, 5)
      const offset = log.append(count)
      followed.append(count)
      const chats = Array.from({ length: count }, (_, index) => chatAt(offset + index))
      if (random.chance(0.6)) follower.reader.takeAppended(offset, chats)
    } else if (action === 1) {
      log.plant('junk')
      followed.plant('junk')
    } else if (action === 2) log.answer(random.int(1, 20))
    else if (action === 3) followed.answer(random.int(1, 20))
    else if (action === 4) isFollowed ||= random.chance(0.3)
    else ask()
    if (random.chance(0.3)) await turnEnd()
  }
  isFollowed = true
  while (taken.next < log.records.length) {
    ask()
    followed.answer()
    log.answer()
    await turnEnd()
  }
  const all = log.records.map(({ value }) => {
    const text = String(value)
    return text === 'junk' ? 'unreadable' : (JSON.parse(text) as { content: string }).content
  })
  assert.deepEqual(taken.texts, all)
  assert.equal(taken.poison, all.filter(text => text === 'unreadable').length)
  const texts = follower.steps.flatMap(step => (step.step === 'batch' ? step.batch.records : []))
  assert.equal(texts.length, all.length)
  return log.fetched
}

describe('what is archived of a partition', () => {
  it('G4.3: comes once and without a hole, whether the follower has it, the archiver fetches it, or one after the other', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      await interleaved(seededRandom(seed), seed % 2 === 0 ? 3_000 : 1_000_000)
    }
  })

  it('is not fetched again while the archiver is within reach of the follower', async () => {
    const log = new OnePartition()
    const follower = new Follower(start, new TailBudget(1_000_000))
    const steps = new PartitionSteps({ epochs, fetcher: log, tailOf: () => follower.tail }, 0, start)
    const taken = new Taken()
    for (let turn = 0; turn < 20; turn++) {
      const next = steps.next(never)
      for (let append = 0; append < 3; append++) {
        const offset = log.append(2)
        follower.reader.takeAppended(offset, [chatAt(offset), chatAt(offset + 1)])
      }
      log.answer()
      taken.take(await next)
    }
    assert.equal(taken.texts.length, 120)
    assert.equal(log.fetched, 0)
  })

  it('is fetched when the follower ends, and by the archiver of a partition that nobody follows', async () => {
    const log = new OnePartition()
    const follower = new Follower(start, new TailBudget(1_000_000))
    const steps = new PartitionSteps({ epochs, fetcher: log, tailOf: () => follower.tail }, 0, start)
    const taken = new Taken()
    const next = steps.next(never)
    follower.tail.end()
    log.append(3)
    log.answer()
    taken.take(await next)
    assert.deepEqual(taken.texts, ['chat 0', 'chat 1', 'chat 2'])
    assert.equal(log.fetched, 3)
  })

  it('stays within its budget while nobody takes it, and what is let go is fetched', async () => {
    const log = new OnePartition()
    const budget = new TailBudget(5_000)
    const follower = new Follower(start, budget)
    const steps = new PartitionSteps({ epochs, fetcher: log, tailOf: () => follower.tail }, 0, start)
    const taken = new Taken()
    const append = (): void => {
      const offset = log.append(1)
      follower.reader.takeAppended(offset, [chatAt(offset)])
    }
    const next = steps.next(never)
    append()
    taken.take(await next)
    for (let count = 0; count < 100; count++) append()
    assert.equal(budget.take(5_000), true, 'nothing is held')
    budget.give(5_000)
    while (taken.next < 101) {
      const more = steps.next(never)
      log.answer()
      taken.take(await more)
    }
    assert.deepEqual([taken.texts.length, log.fetched], [101, 100])
  })

  it('goes to one archiver at a time, and to the next one when the first is done', () => {
    const { tail } = new Follower(start, new TailBudget(1_000))
    assert.equal(
      tail.claim(() => undefined),
      true,
    )
    assert.equal(
      tail.claim(() => undefined),
      false,
    )
    tail.release()
    assert.equal(
      tail.claim(() => undefined),
      true,
    )
    tail.end()
    tail.release()
    assert.equal(
      tail.claim(() => undefined),
      false,
    )
  })
})

describe('what a process has appended itself', () => {
  it('is followed as it would be fetched, when it comes next, and not when something lies between', () => {
    const { reader, steps } = new Follower(start, new TailBudget(0))
    reader.takeAppended(1, [chatAt(1)])
    assert.equal(steps.length, 0)
    reader.takeAppended(0, [chatAt(0), chatAt(1)])
    reader.takeAppended(0, [chatAt(0)])
    const log = new OnePartition()
    log.append(2)
    const byFetch = new Follower(start, new TailBudget(0))
    byFetch.reader.take({ messages: log.records, nextOffset: 2 })
    assert.deepEqual(steps, byFetch.steps)
  })
})
