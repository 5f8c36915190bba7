import { ClientError } from './client-error.ts'

/**
 * A chat's place in its room, `epoch:seq`: growing, the same for everybody, not dense (SPEC G2.1). Compare with
 * `comparePositions`, never as text.
 */
export type Position = string

/** Seq −1 is the head of a room that nothing was said in: a place to come back with, and no chat's (SPEC G6.0). */
const POSITION = /^(0|[1-9]\d{0,9}):(-1|0|[1-9]\d{0,15})$/

export function isPosition(value: unknown): value is Position {
  return typeof value === 'string' && POSITION.test(value)
}

/** @throws ClientError INVALID */
export function checkPosition(value: string): Position {
  if (isPosition(value)) return value
  throw new ClientError('INVALID', 'a position has the form epoch:seq')
}

/** Negative, zero or positive, as for `Array.prototype.sort`. */
export function comparePositions(a: Position, b: Position): number {
  const [epochA = 0, seqA = 0] = a.split(':').map(Number)
  const [epochB = 0, seqB = 0] = b.split(':').map(Number)
  return epochA - epochB || seqA - seqB
}
