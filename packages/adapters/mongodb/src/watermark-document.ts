import { type LostRange, positionFromKey, positionKey, type Watermark } from '@sgs-chat/core'

/** One partition's watermark: what `advance` compares is every field of it. */
export interface WatermarkDocument {
  /** The partition. */
  readonly _id: number
  readonly pos: string
  readonly log: {
    readonly clusterId: string
    readonly topic: string
    readonly partitions: number
    readonly epoch: number
  }
  readonly fingerprint: string
  readonly lost: readonly { readonly from: string; readonly to: string }[]
}

/** Keys in one fixed order: MongoDB compares sub-documents with it. */
export function watermarkFields({
  position,
  log,
  fingerprint,
  lost,
}: Watermark): Omit<WatermarkDocument, '_id'> {
  const { clusterId, topic, partitions, epoch } = log
  return {
    pos: positionKey(position),
    log: { clusterId, topic, partitions, epoch },
    fingerprint,
    lost: lost.map(({ from, to }) => ({ from: positionKey(from), to: positionKey(to) })),
  }
}

export function watermarkOfDocument({ pos, log, fingerprint, lost }: WatermarkDocument): Watermark {
  const { clusterId, topic, partitions, epoch } = log
  return {
    position: positionFromKey(pos),
    log: { clusterId, topic, partitions, epoch },
    fingerprint,
    lost: lost.map(({ from, to }): LostRange => ({ from: positionFromKey(from), to: positionFromKey(to) })),
  }
}
