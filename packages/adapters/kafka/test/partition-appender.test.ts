import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { type ManualClock, manualClock, type SeededRandom, seededRandom } from '@sgs-chat/contract/fakes'
import { ChatError, type Position } from '@sgs-chat/core'
import { it } from 'vitest'
import type { Leader, WrittenRecord } from '../src/kafka-cluster.ts'
import { LogEpochs } from '../src/log-epochs.ts'
import { PartitionAppender, type PartitionAppenderOptions } from '../src/partition-appender.ts'

class BrokerError extends Error {
  readonly type: string | undefined
  readonly retriable: boolean

  constructor(name: string, type?: string, retriable = true) {
    super(type ?? name)
    this.name = name
    this.type = type
    this.retriable = retriable
  }
}

const lostConnection = (): Error => new BrokerError('KafkaJSConnectionClosedError')

/** A partition whose connections, answers and replicas fail as a seed says. */
class ShakyPartition {
  readonly log: string[] = []
  readonly #random: SeededRandom
  readonly #faults: number
  underway = 0

  constructor(random: SeededRandom, faults: number) {
    this.#random = random
    this.#faults = faults
  }

  async leaderOf(): Promise<Leader> {
    if (this.#random.chance(this.#faults / 3)) throw lostConnection()
    return { broker: {} as Leader['broker'], nodeId: 1, partitions: 1 }
  }

  async produce(
    _broker: unknown,
    _topic: string,
    _partition: number,
    records: readonly WrittenRecord[],
  ): Promise<number> {
    this.underway += 1
    assert.equal(this.underway, 1, 'one request under way')
    for (let turns = this.#random.int(0, 4); turns > 0; turns--) await Promise.resolve()
    this.underway -= 1
    if (this.#random.chance(this.#faults / 3))
      throw new BrokerError('KafkaJSProtocolError', 'NOT_ENOUGH_REPLICAS')
    if (this.#random.chance(this.#faults / 3)) throw lostConnection()
    const offset = this.log.length
    this.log.push(...records.map(({ value }) => String(value)))
    if (this.#random.chance(this.#faults / 3)) throw lostConnection()
    if (this.#random.chance(this.#faults / 9))
      throw new BrokerError('KafkaJSProtocolError', 'NOT_LEADER_FOR_PARTITION')
    return offset
  }
}

interface Sent {
  readonly values: readonly string[]
  readonly answer: Promise<PromiseSettledResult<readonly Position[]>>
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  return (await Promise.allSettled([promise]))[0]
}

function optionsOf(cluster: ShakyPartition, clock = manualClock()): PartitionAppenderOptions {
  return {
    cluster,
    topic: 'log',
    partition: 0,
    epochs: new LogEpochs(undefined, 'log', 1),
    maxBatchBytes: 100,
    appendTimeoutMs: 3_000,
    clock,
    troubled: () => undefined,
    recovered: () => undefined,
  }
}

function recordsOf(values: readonly string[]): readonly WrittenRecord[] {
  return values.map(value => ({ key: '1', value, headers: {} }))
}

async function storm(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const clock = manualClock()
  const cluster = new ShakyPartition(random, random.pick([0, 0.1, 0.5, 0.9]))
  const appender = new PartitionAppender(optionsOf(cluster, clock))
  const sent: Sent[] = []
  for (let count = 0; count < 60; count++) {
    const values = Array.from({ length: random.int(1, 3) }, (_, index) => `${count}.${index}`)
    const abort = new AbortController()
    const answer = settled(
      appender.append({ records: recordsOf(values), bytes: 10 * values.length }, abort.signal),
    )
    sent.push({ values, answer })
    if (random.chance(0.05)) abort.abort(new Error('aborted'))
    if (random.chance(0.3)) await clock.advanceAsync(random.int(0, 400))
  }
  await clock.advanceAsync(10_000)
  let reached = -1
  for (const { values, answer } of sent) {
    const result = await answer
    if (result.status === 'fulfilled') {
      const offsets = result.value.map(({ seq }) => seq)
      assert.deepEqual(
        offsets.map(offset => cluster.log[offset]),
        values,
        `seed ${seed}: the record at its position`,
      )
      const first = cluster.log.indexOf(values[0] ?? '')
      assert.ok(first > reached, `seed ${seed}: ${values[0]} is out of order`)
      reached = first
    } else if (ChatError.is(result.reason) && result.reason.outcome === 'rejected') {
      assert.ok(
        !values.some(value => cluster.log.includes(value)),
        `seed ${seed}: a rejected chat is in the log`,
      )
    }
  }
}

it('G1.4, G7.2: whatever fails, acknowledged chats lie in order at their positions, and rejected ones nowhere', async () => {
  for (let seed = 1; seed <= 500; seed++) await storm(seed)
})

it('what comes in one turn, or while a request is under way, is one batch, and a lone append waits for nobody', async () => {
  const clock = manualClock()
  const cluster = new ShakyPartition(seededRandom(1), 0)
  const sizes: number[] = []
  const asked = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const slow = {
    leaderOf: () => cluster.leaderOf(),
    async produce(...args: Parameters<ShakyPartition['produce']>): Promise<number> {
      sizes.push(args[3].length)
      asked.resolve()
      await gate.promise
      return cluster.produce(...args)
    },
  }
  const appender = new PartitionAppender({ ...optionsOf(cluster, clock), cluster: slow })
  const append = (value: string) => appender.append({ records: recordsOf([value]), bytes: 10 }, undefined)
  const first = [append('a')]
  // Another callback of the same turn.
  await Promise.resolve()
  first.push(append('b'))
  await asked.promise
  const others = ['c', 'd', 'e'].map(append)
  gate.resolve()
  await Promise.all([...first, ...others])
  assert.deepEqual(sizes, [2, 3])
  await append('f')
  assert.deepEqual(sizes, [2, 3, 1])
  assert.equal(clock.pending, 0, 'no timer is left')
})

it('an answer that a broker gives for good is told at once, and is no reason to hold up the next', async () => {
  const clock = manualClock()
  const cluster = new ShakyPartition(seededRandom(1), 0)
  let refusals = 1
  const picky = {
    leaderOf: () => cluster.leaderOf(),
    async produce(...args: Parameters<ShakyPartition['produce']>): Promise<number> {
      if (refusals-- > 0) throw new BrokerError('KafkaJSProtocolError', 'MESSAGE_TOO_LARGE', false)
      return cluster.produce(...args)
    },
  }
  const appender = new PartitionAppender({ ...optionsOf(cluster, clock), cluster: picky })
  const refused = await settled(appender.append({ records: recordsOf(['a']), bytes: 10 }, undefined))
  assert.ok(refused.status === 'rejected' && ChatError.is(refused.reason))
  assert.equal(refused.reason.code, 'KAFKA_SERIALIZE_FAILED')
  assert.equal(refused.reason.outcome, 'rejected')
  assert.equal((await appender.append({ records: recordsOf(['b']), bytes: 10 }, undefined)).length, 1)
})

it('G7.2: a batch that the topic takes no more is sent in halves, in order, and what is too large alone is refused alone', async () => {
  const clock = manualClock()
  const cluster = new ShakyPartition(seededRandom(1), 0)
  const shrunk = {
    leaderOf: () => cluster.leaderOf(),
    async produce(...args: Parameters<ShakyPartition['produce']>): Promise<number> {
      const bytes = args[3].reduce((sum, { value }) => sum + value.length, 0)
      if (bytes > 3) throw new BrokerError('KafkaJSProtocolError', 'MESSAGE_TOO_LARGE', false)
      return cluster.produce(...args)
    },
  }
  const appender = new PartitionAppender({ ...optionsOf(cluster, clock), cluster: shrunk })
  const sent = ['a', 'b', 'long', 'c', 'd', 'e', 'f'].map(value => ({
    value,
    answer: settled(appender.append({ records: recordsOf([value]), bytes: 10 }, undefined)),
  }))
  for (let turns = 0; turns < 40; turns++) {
    await setImmediate()
    await clock.advanceAsync(60)
  }
  assert.deepEqual(
    (await Promise.all(sent.map(({ answer }) => answer))).map(({ status }) => status),
    sent.map(({ value }) => (value === 'long' ? 'rejected' : 'fulfilled')),
  )
  assert.deepEqual(cluster.log, ['a', 'b', 'c', 'd', 'e', 'f'])
})

/** Requests that travel together, and what is lost with the connection when one of them costs it. */
class SharedConnection {
  readonly #underway = new Set<() => void>()
  readonly log: string[] = []
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  async leaderOf(): Promise<Leader> {
    return { broker: {} as Leader['broker'], nodeId: 1, partitions: 3 }
  }

  async produce(
    _broker: unknown,
    _topic: string,
    partition: number,
    records: readonly WrittenRecord[],
  ): Promise<number> {
    const { promise: lost, reject } = Promise.withResolvers<never>()
    const lose = (): void => reject(lostConnection())
    this.#underway.add(lose)
    const answer = async (): Promise<number> => {
      await new Promise<void>(resolve => this.#clock.after(partition === 0 ? 5 : 10, resolve))
      if (partition === 0) for (const other of this.#underway) other()
      return this.log.push(...records.map(({ value }) => String(value))) - records.length
    }
    return await Promise.race([answer(), lost]).finally(() => this.#underway.delete(lose))
  }
}

it('G1.4: a partition whose requests cost the connection each time does not take the others along for ever', async () => {
  const clock = manualClock()
  const cluster = new SharedConnection(clock)
  const epochs = new LogEpochs(undefined, 'log', 3)
  const answers = [0, 1, 2].map(partition => {
    const options = {
      ...optionsOf(new ShakyPartition(seededRandom(1), 0), clock),
      cluster,
      epochs,
      partition,
    }
    return settled(
      new PartitionAppender(options).append({ records: recordsOf([`${partition}`]), bytes: 10 }, undefined),
    )
  })
  // The appends of a turn travel at its end; only then is there a request that time can pass over.
  await setImmediate()
  await clock.advanceAsync(10_000)
  assert.deepEqual(
    (await Promise.all(answers)).map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  )
})
