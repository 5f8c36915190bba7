import assert from 'node:assert/strict'
import type { Chat, ChatLog, LogBatch, LogConsumer, LoggedChat, Position } from '@sgs-chat/core'
import { describe, it } from 'vitest'
import { KafkaFixture, service } from './kafka-fixture.ts'
import { sampleChat } from './sample-chat.ts'
import { Witness } from './witness.ts'

const WRITERS = 4
const CHATS_EACH = 75

/** An archive that is slow now and then, and finds holes. */
class SlowArchive implements LogConsumer {
  readonly chats: LoggedChat[] = []
  readonly #begin: Position
  readonly #wanted: number
  readonly #done = Promise.withResolvers<void>()
  #next: Position | undefined

  constructor(begin: Position, wanted: number) {
    this.#begin = begin
    this.#wanted = wanted
  }

  get done(): Promise<void> {
    return this.#done.promise
  }

  async start(): Promise<Position> {
    return this.#next ?? this.#begin
  }

  async batch(_partition: number, { from, records, next }: LogBatch): Promise<void> {
    assert.deepEqual(from, this.#next ?? this.#begin, 'a hole or a double')
    for (const record of records) if (record.kind === 'chat') this.chats.push(record.chat)
    // A save takes some turns of the event loop, in which the follower goes on.
    for (let turn = 0; turn < this.chats.length % 7; turn++) await new Promise(setImmediate)
    this.#next = next
    if (this.chats.length >= this.#wanted) this.#done.resolve()
  }

  async lost(): Promise<void> {
    assert.fail('nothing was lost')
  }
}

/** One writer's chats, each sent when the one before is acknowledged. */
async function write(log: ChatLog, name: string): Promise<readonly LoggedChat[]> {
  const written: LoggedChat[] = []
  for (let count = 0; count < CHATS_EACH; count++) {
    const chat = sampleChat({ _id: `${name}-${count}` as Chat['_id'], content: `${name} ${count}` })
    const [position] = await log.append([chat])
    assert.ok(position)
    written.push({ ...chat, position })
  }
  return written
}

describe.skipIf(service === undefined)('nodes that write into one partition at once', () => {
  it('G4.1, G4.3: each follows its own chats and the others’ in the one order of the log, and so are they archived', async () => {
    await using fixture = new KafkaFixture()
    const nodes = [await fixture.open({ partitions: 1 }), await fixture.open({ partitions: 1 })]
    const [archiving] = nodes
    assert.ok(archiving)
    const [range] = await archiving.ranges()
    assert.ok(range)
    const witnesses = await Promise.all(nodes.map(node => Witness.at(node)))
    const total = nodes.length * WRITERS * CHATS_EACH
    const archive = new SlowArchive(range.next, total)
    await archiving.consume(archive)
    const writers = nodes.flatMap((node, index) =>
      Array.from({ length: WRITERS }, (_, writer) => write(node, `${index}.${writer}`)),
    )
    const written = (await Promise.all(writers)).flat()
    const ids = written.map(({ _id }) => _id)
    await Promise.all([...witnesses.map(witness => witness.untilAll(ids)), archive.done])
    const inOrder = written.toSorted((a, b) => a.position.seq - b.position.seq)
    for (const { chats } of [...witnesses, archive]) assert.deepEqual(chats, inOrder)
  })
})
