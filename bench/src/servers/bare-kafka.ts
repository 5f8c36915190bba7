import { setTimeout as sleep, setImmediate as turnEnd } from 'node:timers/promises'
import { homePartition, parseRoomId } from '@sgs-chat/core'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { chatBody } from '../generator/chat-body.ts'
import { LatencyHistogram } from '../generator/latency-histogram.ts'
import { OrderCheck, RoomOrder } from '../generator/order-check.ts'
import {
  type BareKafkaOutcome,
  type BareKafkaRun,
  BODY_BYTES,
  PARTITIONS,
  type PipelineLoad,
  ROOMS,
} from '../pipeline/pipeline-run.ts'

/**
 * The client library alone: produces the records that our node would, batched the same way (one request under way for
 * each partition, what comes meanwhile is the next batch), and consumes them in the same process. Nothing is parsed,
 * kept or handed on.
 */
process.on('message', (run: BareKafkaRun) => {
  runBare(run).then(
    outcome => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ reason: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

const DRAIN_LIMIT_MS = 10_000
const DRAIN_POLL_MS = 10
const RAMP_UP_MS = 700
/** Send times that are remembered: far more than can be under way. */
const REMEMBERED = 1 << 20

async function runBare({ brokers, topic, load }: BareKafkaRun): Promise<BareKafkaOutcome> {
  const kafka = new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }] })
  const producer = kafka.producer({ idempotent: false, retry: { retries: 0 }, allowAutoTopicCreation: false })
  const consumer = kafka.consumer({ groupId: topic, allowAutoTopicCreation: false })
  await Promise.all([producer.connect(), consumer.connect()])
  const pipe = new BarePipe(producer, topic)
  await consumer.subscribe({ topic, fromBeginning: true })
  const joined = new Promise<void>(resolve => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch: { messages } }) => {
      for (const { key, headers } of messages) pipe.took(Number(String(key)), Number(String(headers?.n)))
      return Promise.resolve()
    },
  })
  await joined
  try {
    return await measured(pipe, load)
  } finally {
    await Promise.allSettled([consumer.disconnect(), producer.disconnect()])
    await admin.deleteTopics({ topics: [topic] }).catch(() => undefined)
    await admin.disconnect()
  }
}

async function measured(pipe: BarePipe, load: PipelineLoad): Promise<BareKafkaOutcome> {
  pipe.saturate(load.inFlight)
  await sleep(load.warmUpMs + RAMP_UP_MS)
  if (load.kind === 'paced') {
    pipe.quiet()
    await drained(pipe)
  }
  pipe.clearCounts()
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  if (load.kind === 'paced') await pace(pipe, load, startMs)
  else await sleep(load.windowMs)
  const seconds = (performance.now() - startMs) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  const { chats, latency } = pipe
  const window = {
    seconds,
    chats,
    cpuMicros: user + system,
    p50Ms: latency.quantileMs(0.5),
    p99Ms: latency.quantileMs(0.99),
  }
  pipe.quiet()
  await drained(pipe)
  return { ...window, ...pipe.faults() }
}

async function pace(
  pipe: BarePipe,
  { chatsPerSecond, windowMs }: PipelineLoad & { kind: 'paced' },
  startMs: number,
): Promise<void> {
  const periodMs = 1_000 / chatsPerSecond
  for (let sent = 0; (sent + 0.5) * periodMs < windowMs; sent += 1) {
    await sleep(Math.max(0, startMs + (sent + 0.5) * periodMs - performance.now()))
    pipe.publish(1 + ((sent * 7) % ROOMS))
  }
  await sleep(Math.max(0, startMs + windowMs - performance.now()))
}

async function drained(pipe: BarePipe): Promise<void> {
  const deadlineMs = performance.now() + DRAIN_LIMIT_MS
  while (!pipe.isDrained && performance.now() < deadlineMs) await sleep(DRAIN_POLL_MS)
}

interface Record {
  readonly key: string
  readonly value: Buffer
  readonly headers: { readonly n: string }
}

class BarePipe {
  readonly latency = new LatencyHistogram()
  chats = 0
  readonly #producer: Producer
  readonly #topic: string
  readonly #waiting: Record[][] = Array.from({ length: PARTITIONS }, () => [])
  readonly #isSending: boolean[] = Array.from({ length: PARTITIONS }, () => false)
  readonly #published: number[] = Array.from({ length: ROOMS + 1 }, () => 0)
  readonly #checks = Array.from({ length: ROOMS + 1 }, () => new OrderCheck(new RoomOrder(1)))
  readonly #sentAtMs = new Float64Array(REMEMBERED)
  #isSaturating = false
  #failure: Error | undefined

  constructor(producer: Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
  }

  saturate(inFlight: number): void {
    this.#isSaturating = true
    for (let turn = 0; turn < inFlight; turn += 1) {
      for (let room = 1; room <= ROOMS; room += 1) this.publish(room)
    }
  }

  quiet(): void {
    this.#isSaturating = false
  }

  clearCounts(): void {
    this.latency.clear()
    this.chats = 0
  }

  publish(room: number): void {
    const sequence = this.#published[room] ?? 0
    this.#published[room] = sequence + 1
    this.#sentAtMs[(sequence * ROOMS + room) % REMEMBERED] = performance.now()
    const chat = chatBody({ roomId: room, userId: `user-${room}` }, `#0${sequence}`, BODY_BYTES)
    const record = {
      key: String(room),
      value: Buffer.from(JSON.stringify(chat)),
      headers: { n: String(sequence) },
    }
    const partition = homePartition(parseRoomId(room), PARTITIONS)
    this.#waiting[partition]?.push(record)
    if (this.#isSending[partition] !== true) void this.#send(partition)
  }

  took(room: number, sequence: number): void {
    this.latency.record(performance.now() - (this.#sentAtMs[(sequence * ROOMS + room) % REMEMBERED] ?? 0))
    this.#checks[room]?.take(0, sequence)
    this.chats += 1
    if (this.#isSaturating) this.publish(room)
  }

  get isDrained(): boolean {
    if (this.#failure !== undefined) throw this.#failure
    return this.#checks.every((check, room) => check.received >= (this.#published[room] ?? 0))
  }

  faults(): Pick<BareKafkaOutcome, 'lost' | 'doubled' | 'outOfOrder'> {
    const all = this.#checks.map((check, room) => check.faults([this.#published[room] ?? 0]))
    const sum = (pick: (faults: (typeof all)[number]) => number): number =>
      all.reduce((total, one) => total + pick(one), 0)
    return {
      lost: sum(one => one.lost),
      doubled: sum(one => one.doubled),
      outOfOrder: sum(one => one.outOfOrder),
    }
  }

  async #send(partition: number): Promise<void> {
    this.#isSending[partition] = true
    for (;;) {
      // Records of one turn of the event loop travel together, as our node's do.
      await turnEnd()
      const messages = (this.#waiting[partition]?.splice(0) ?? []).map(record => ({ ...record, partition }))
      if (messages.length === 0) break
      try {
        await this.#producer.send({ topic: this.#topic, acks: -1, messages })
      } catch (error) {
        this.#failure ??= error instanceof Error ? error : new Error(String(error))
      }
    }
    this.#isSending[partition] = false
  }
}
