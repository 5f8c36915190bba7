/** A small seeded generator (mulberry32): the same seed, the same numbers. */
export class Seeded {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let index = 0; index < length; index += 1) bytes[index] = this.below(256)
    return bytes
  }

  /** A text of any UTF-16 code units, lone surrogates too. */
  text(length: number): string {
    return String.fromCharCode(
      ...Array.from({ length }, () => this.below(this.below(3) === 0 ? 0x10000 : 0x80)),
    )
  }
}
