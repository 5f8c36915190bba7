import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { manualClock, recordingLogger } from '@sgs-chat/contract/fakes'
import { it } from 'vitest'
import type { Leader, OffsetRange } from '../src/kafka-cluster.ts'
import { LogFetcher } from '../src/log-fetcher.ts'

/** A broker for which every offset is out of range, whatever the log says of its own. */
class Refusing {
  fetches = 0
  #range: OffsetRange

  constructor(range: OffsetRange) {
    this.#range = range
  }

  async leaderIdOf(): Promise<number> {
    return 1
  }

  async leaderOf(): Promise<Leader> {
    return { broker: {} as Leader['broker'], nodeId: 1, partitions: 1 }
  }

  async fetch(): Promise<never> {
    this.fetches += 1
    throw Object.assign(new Error('out of range'), { type: 'OFFSET_OUT_OF_RANGE', retriable: true })
  }

  failed(): void {
    // The connection is as good as before.
  }

  async ranges(): Promise<OffsetRange[]> {
    return [this.#range]
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }
}

class Target {
  readonly partition = 0
  offset = 5

  wanted(): number {
    return this.offset
  }

  take(): void {
    assert.fail('nothing was fetched')
  }

  skipTo(first: number): void {
    this.offset = first
  }
}

function reading(cluster: Refusing, clock = manualClock()): LogFetcher {
  return new LogFetcher({ cluster, topic: 'log', clock, logger: recordingLogger(), reader: 'reader' })
}

async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await setImmediate()
}

it('an offset that is refused, and in range as the log says, is asked for again after a rest', async () => {
  const clock = manualClock()
  const cluster = new Refusing({ first: 0, next: 9 })
  const fetcher = reading(cluster, clock)
  fetcher.add(new Target())
  await manyTurns()
  assert.equal(cluster.fetches, 1)
  await clock.advanceAsync(100)
  await manyTurns()
  assert.equal(cluster.fetches, 2)
  await fetcher.close()
})

it('an offset below the oldest record is left for that one at once', async () => {
  const target = new Target()
  const fetcher = reading(new Refusing({ first: 7, next: 9 }))
  fetcher.add(target)
  await manyTurns()
  assert.equal(target.offset, 7)
  await fetcher.close()
})
