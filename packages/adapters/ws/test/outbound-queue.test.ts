import { describe, expect, it } from 'vitest'
import { MAX_BATCH_BYTES } from '../src/outbound-batch.ts'
import { OutboundFlusher } from '../src/outbound-flusher.ts'
import { OutboundMessage } from '../src/outbound-message.ts'
import { OutboundQueue } from '../src/outbound-queue.ts'
import { Seeded } from './seeded.ts'

const flusher = (): OutboundFlusher =>
  new OutboundFlusher(error => {
    throw error
  })

describe('the outbound queue', () => {
  it('T4.1: takes its limit in bytes exactly, and not one byte more', () => {
    const queue = new OutboundQueue(flusher(), 100)
    expect(queue.push(new OutboundMessage('x'.repeat(99)))).toBe(true)
    expect(queue.push(new OutboundMessage('xx'))).toBe(false)
    expect(queue.push(new OutboundMessage('x'))).toBe(true)
    expect(queue.push(new OutboundMessage('x'))).toBe(false)
    expect(queue.waitingBytes).toBe(100)
  })

  it('T4.1: what the socket holds back counts', () => {
    const queue = new OutboundQueue(flusher(), 100)
    queue.inFlightBytes = 90
    expect(queue.push(new OutboundMessage('x'.repeat(11)))).toBe(false)
    expect(queue.push(new OutboundMessage('x'.repeat(10)))).toBe(true)
  })

  it('T4.1: text counts as bytes of UTF-8', () => {
    const queue = new OutboundQueue(flusher(), 3)
    expect(queue.push(new OutboundMessage('\u20ac'))).toBe(true)
    expect(queue.push(new OutboundMessage(''))).toBe(true)
    expect(queue.push(new OutboundMessage('x'))).toBe(false)
  })

  it('T4.2: connections that are sent the same messages share one batch and its bytes', () => {
    const shared = flusher()
    const queues = Array.from({ length: 500 }, () => new OutboundQueue(shared, 10_000))
    for (const text of ['a', 'b', 'c']) {
      const message = new OutboundMessage(text)
      for (const queue of queues) queue.push(message)
    }
    const batches = new Set(queues.map(queue => queue.take()))
    expect(batches.size).toBe(1)
    const [batch] = batches
    expect(batch?.rawBytes).toBe(batch?.rawBytes)
    expect(batch?.rawBytes.toString('latin1')).toBe('\x81\x01a\x81\x01b\x81\x01c')
    expect(batch?.sockjsBytes.toString('latin1')).toBe('\x81\x06a["a"]\x81\x06a["b"]\x81\x06a["c"]')
    expect(batch?.arrayFrame).toBe('a["a","b","c"]')
  })

  it('T4.2: a batch of one message is the bytes of the message, not a copy', () => {
    const queue = new OutboundQueue(flusher(), 100)
    const message = new OutboundMessage('a')
    queue.push(message)
    expect(queue.take()?.rawBytes).toBe(message.rawFrame)
  })

  it('T4.2: turns taken between several audiences still share', () => {
    const shared = flusher()
    const queues = Array.from({ length: 300 }, () => new OutboundQueue(shared, 10_000))
    for (let turn = 0; turn < 4; turn += 1) {
      const messages = [0, 1, 2].map(audience => new OutboundMessage(`${turn}:${audience}`))
      for (const [index, queue] of queues.entries()) queue.push(messages[index % 3] as OutboundMessage)
    }
    expect(new Set(queues.map(queue => queue.take())).size).toBe(3)
  })

  it('T4.3: what comes out is what went in, in order, for any mix of messages (10,000 random sends)', () => {
    const seed = 7
    const random = new Seeded(seed)
    const shared = flusher()
    const queues = Array.from({ length: 7 }, () => ({
      queue: new OutboundQueue(shared, 1 << 30),
      sent: '',
      taken: '',
    }))
    for (let step = 0; step < 10_000; step += 1) {
      const message = new OutboundMessage(`${step}${'x'.repeat(random.below(4) === 0 ? 2_000 : 3)};`)
      for (const entry of queues) {
        if (random.below(3) === 0) continue
        entry.queue.push(message)
        entry.sent += message.payload
      }
      if (random.below(20) === 0) shared.flush()
      for (const entry of queues) {
        if (random.below(50) !== 0 && step < 9_999) continue
        for (let batch = entry.queue.take(); batch !== undefined; batch = entry.queue.take()) {
          entry.taken += (JSON.parse(batch.arrayFrame.slice(1)) as string[]).join('')
        }
      }
    }
    for (const { queue, sent, taken } of queues) {
      expect(taken === sent, `seed ${seed}`).toBe(true)
      expect(queue.waitingBytes).toBe(0)
      expect(queue.isEmpty).toBe(true)
    }
  })

  it('T4.3: batches stay small, so that a slow reader makes visible steps', () => {
    const queue = new OutboundQueue(flusher(), 1 << 30)
    for (let index = 0; index < 1_000; index += 1) queue.push(new OutboundMessage('x'.repeat(1_000)))
    for (let batch = queue.take(); batch !== undefined; batch = queue.take()) {
      expect(batch.byteLength).toBeLessThan(MAX_BATCH_BYTES + 1_000)
    }
  })

  it('T4.4: it says once that it came down to half', () => {
    const queue = new OutboundQueue(flusher(), 100)
    queue.push(new OutboundMessage('x'.repeat(50)))
    queue.take()
    expect(queue.takeDrained()).toBe(false)
    queue.push(new OutboundMessage('x'.repeat(51)))
    expect(queue.takeDrained()).toBe(false)
    queue.take()
    queue.inFlightBytes = 51
    expect(queue.takeDrained()).toBe(false)
    queue.inFlightBytes = 50
    expect(queue.takeDrained()).toBe(true)
    expect(queue.takeDrained()).toBe(false)
  })

  it('T4.5: an error of one connection does not keep the others from being flushed', () => {
    const errors: unknown[] = []
    const failing = new OutboundFlusher(error => errors.push(error))
    const flushed: number[] = []
    const connection = (id: number): { dirty: boolean; flush: () => void } => ({
      dirty: false,
      flush: () => {
        if (id === 1) throw new Error('broken')
        flushed.push(id)
      },
    })
    const connections = [0, 1, 2].map(connection)
    for (const each of connections) failing.mark(each)
    for (const each of connections) failing.mark(each)
    failing.flush()
    expect(flushed).toEqual([0, 2])
    expect(errors).toHaveLength(1)
  })
})
