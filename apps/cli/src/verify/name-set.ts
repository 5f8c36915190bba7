import type { ChatName } from './chat-name.ts'

const FIRST_BYTES = 128

/** A set of chats' names: one bit for each chat of a writer. */
export class NameSet {
  readonly #bits = new Map<number, Uint8Array>()

  /** False when it was in already. */
  add({ writer, number }: ChatName): boolean {
    const at = number >> 3
    let bits = this.#bits.get(writer) ?? new Uint8Array(FIRST_BYTES)
    if (at >= bits.length) bits = grown(bits, at)
    this.#bits.set(writer, bits)
    const mask = 1 << (number & 7)
    if (((bits[at] ?? 0) & mask) !== 0) return false
    bits[at] = (bits[at] ?? 0) | mask
    return true
  }

  has({ writer, number }: ChatName): boolean {
    return ((this.#bits.get(writer)?.[number >> 3] ?? 0) & (1 << (number & 7))) !== 0
  }
}

function grown(bits: Uint8Array, index: number): Uint8Array {
  const larger = new Uint8Array(Math.max(bits.length * 2, index + 1))
  larger.set(bits)
  return larger
}
