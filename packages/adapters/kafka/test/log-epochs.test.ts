import assert from 'node:assert/strict'
import { ChatError } from '@sgs-chat/core'
import { describe, it } from 'vitest'
import { LogEpochs } from '../src/log-epochs.ts'

describe('LogEpochs', () => {
  const grown = new LogEpochs(
    [
      { epoch: 1, partitions: 2, first: [0, 0] },
      { epoch: 4, partitions: 3, first: [100, 50, 0] },
    ],
    'log',
    3,
  )

  it('G2.4: records below an epoch keep the one before, with its partition count', () => {
    assert.deepEqual(grown.positionOf(0, 99), { epoch: 1, seq: 99 })
    assert.deepEqual(grown.positionOf(0, 100), { epoch: 4, seq: 100 })
    assert.deepEqual(grown.positionOf(1, 50), { epoch: 4, seq: 50 })
    assert.deepEqual(grown.positionOf(2, 0), { epoch: 4, seq: 0 })
    assert.equal(grown.epochOf(0, 99).partitions, 2)
  })

  it('G2.4: a place that an epoch never reached is where the next one begins', () => {
    assert.equal(grown.offsetOf(0, { epoch: 1, seq: 42 }), 42)
    assert.equal(grown.offsetOf(0, { epoch: 1, seq: 1_000 }), 100)
    assert.equal(grown.offsetOf(0, { epoch: 4, seq: 1_000 }), 1_000)
    const recreated = new LogEpochs(
      [
        { epoch: 1, partitions: 1, first: [0] },
        { epoch: 2, partitions: 1, first: [0] },
      ],
      'log',
      1,
    )
    assert.equal(recreated.offsetOf(0, { epoch: 1, seq: 77 }), 0)
    assert.deepEqual(recreated.positionOf(0, 0), { epoch: 2, seq: 0 })
  })

  it('G1.2: another partition count than that of the epoch is refused for good', () => {
    assert.throws(
      () => grown.checkPartitions('log', 4),
      (error: unknown) =>
        ChatError.is(error) && !error.retryable && error.description.startsWith('KAFKA_TOPIC'),
    )
  })

  it('epochs that do not grow are refused', () => {
    const epoch = { epoch: 2, partitions: 1, first: [0] }
    assert.throws(() => new LogEpochs([epoch, epoch], 'log', 1), RangeError)
    assert.throws(() => new LogEpochs([], 'log', 1), RangeError)
  })
})
