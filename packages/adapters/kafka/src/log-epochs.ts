import type { Position } from '@sgs-chat/core'
import { type KafkaEpoch, settingError } from './kafka-options.ts'

/** Between offsets of the topic and positions of the log (SPEC G2.1, G2.4): a seq is the offset, the epoch says since when. */
export class LogEpochs {
  readonly current: KafkaEpoch
  readonly #epochs: readonly KafkaEpoch[]

  /** @throws ChatError UNAVAILABLE, not retryable, when the topic has other partitions than the current epoch */
  constructor(epochs: readonly KafkaEpoch[] | undefined, topic: string, partitions: number) {
    const firstEpoch: KafkaEpoch = {
      epoch: 1,
      partitions,
      first: Array.from({ length: partitions }, () => 0),
    }
    this.#epochs = epochs ?? [firstEpoch]
    const current = this.#epochs.at(-1)
    if (current === undefined) throw new RangeError('a log has at least one epoch')
    for (const [index, { epoch }] of this.#epochs.entries()) {
      const before = this.#epochs[index - 1]?.epoch ?? 0
      if (!Number.isSafeInteger(epoch) || epoch <= before) throw new RangeError('epochs grow from 1 on')
    }
    this.current = current
    this.checkPartitions(topic, partitions)
  }

  /** @throws ChatError UNAVAILABLE, not retryable (SPEC G1.2) */
  checkPartitions(topic: string, partitions: number): void {
    const { epoch, partitions: expected } = this.current
    if (partitions === expected) return
    throw settingError(
      'KAFKA_TOPIC',
      `${topic} has ${partitions} partitions, epoch ${epoch} of the log has ${expected}; stop all nodes and run \`pnpm epoch bump\``,
    )
  }

  positionOf(partition: number, offset: number): Position {
    return { epoch: this.epochOf(partition, offset).epoch, seq: offset }
  }

  epochOf(partition: number, offset: number): KafkaEpoch {
    if (offset >= (this.current.first[partition] ?? Number.POSITIVE_INFINITY)) return this.current
    const found = this.#epochs.findLast(
      ({ first }) => (first[partition] ?? Number.POSITIVE_INFINITY) <= offset,
    )
    return found ?? this.#epochs[0] ?? this.current
  }

  /** Where a place is now: one that an earlier epoch never reached is where the next epoch begins. */
  offsetOf(partition: number, { epoch, seq }: Position): number {
    const later = this.#epochs.find(candidate => candidate.epoch > epoch)
    return later === undefined ? seq : Math.min(seq, later.first[partition] ?? 0)
  }
}
