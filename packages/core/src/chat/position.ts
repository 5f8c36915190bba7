import { ChatError } from '../error.ts'

/**
 * A chat's place in its room (SPEC G2.1): growing, the same on every node, not dense. `seq` is the offset in the room's
 * home partition, an integer ≥ 0; `epoch` is ≥ 1 and grows only when the log's offsets start over. Epoch 0 holds what was
 * imported from before the log.
 */
export interface Position {
  readonly epoch: number
  readonly seq: number
}

/** Negative, zero or positive, as for `Array.prototype.sort`. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.seq - b.seq
}

/** The place right after, as a bound that excludes. */
export function placeAfter({ epoch, seq }: Position): Position {
  return { epoch, seq: seq + 1 }
}

/** The place right before, as a bound that is included; seq −1 before the first. */
export function placeBefore({ epoch, seq }: Position): Position {
  return { epoch, seq: seq - 1 }
}

export function formatPosition({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`
}

const WIRE_POSITION = /^(0|[1-9]\d{0,9}):(-1|0|[1-9]\d{0,15})$/

/**
 * Reads a place off the wire: a chat's, or seq −1, the head of an empty room, which a reader may come back with (SPEC G6.0).
 * @throws ChatError INVALID_MESSAGE_FORMAT for anything but `epoch:seq` in plain decimal
 */
export function parsePosition(text: string, field: string): Position {
  const match = WIRE_POSITION.exec(text)
  const position = { epoch: Number(match?.[1]), seq: Number(match?.[2]) }
  if (match !== null && Number.isSafeInteger(position.seq)) return position
  throw new ChatError('INVALID_MESSAGE_FORMAT', `${field} must be a position in the form epoch:seq`, {
    details: { field },
  })
}

/**
 * The position as one fixed-width text that sorts as positions do: how a store keeps it (SPEC G3.4). A bound may have seq −1,
 * which sorts below all: the minus sign comes before the digits.
 */
export function positionKey({ epoch, seq }: Position): string {
  return `${String(epoch).padStart(10, '0')}:${String(seq).padStart(16, '0')}`
}

export function positionFromKey(key: string): Position {
  return { epoch: Number(key.slice(0, 10)), seq: Number(key.slice(11)) }
}
