const HASH = 0x23
const ZERO = 0x30
const SEQUENCE_DIGITS = 8
const MARKER_BYTES = 1 + 1 + SEQUENCE_DIGITS

/** The start of a chat's content: `#`, one digit for the room's publisher, eight for its sequence. */
export function chatMarker(publisher: number, sequence: number): string {
  return `#${publisher}${String(sequence).padStart(SEQUENCE_DIGITS, '0')}`
}

/** Where the marker's digits begin; −1 when there is none. Neither envelope nor JSON has a `#` of its own. */
export function findMarker(buffer: Buffer, start: number, end: number): number {
  const at = buffer.indexOf(HASH, start)
  return at < 0 || at + MARKER_BYTES > end ? -1 : at + 1
}

export function markedPublisher(buffer: Buffer, digits: number): number {
  return (buffer[digits] ?? 0) - ZERO
}

export function markedSequence(buffer: Buffer, digits: number): number {
  let sequence = 0
  for (let at = digits + 1; at <= digits + SEQUENCE_DIGITS; at += 1) {
    sequence = sequence * 10 + (buffer[at] ?? 0) - ZERO
  }
  return sequence
}
