const OPENING = 0
const LENGTH = 1
const EXTENDED_LENGTH = 2
const MASK = 3
const PAYLOAD = 4

/**
 * Follows the frame boundaries of what a client sends, to know whether a message is being assembled.
 *
 * It copies nothing and judges nothing (`ws` does); it only makes a client that sends one byte a second visible.
 */
export class FrameWatch {
  #stage = OPENING
  /** Bytes left of the stage: extended length, mask or payload. */
  #left = 0
  #payloadBytes = 0
  #maskBytes = 0
  #fragmented = false

  /** True between the first byte of a message or control frame and its last. */
  get inMessage(): boolean {
    return this.#fragmented || this.#stage !== OPENING
  }

  /** Takes the next bytes of the stream; true if a whole message or control frame ended in them. */
  advance(chunk: Uint8Array): boolean {
    let at = 0
    let ended = false
    while (at < chunk.length) {
      if (this.#stage < PAYLOAD) {
        this.#header(chunk[at] ?? 0)
        at += 1
      } else {
        const taken = Math.min(this.#left, chunk.length - at)
        this.#left -= taken
        at += taken
      }
      if (this.#stage === PAYLOAD && this.#left === 0) {
        this.#stage = OPENING
        ended ||= !this.#fragmented
      }
    }
    return ended
  }

  #header(byte: number): void {
    switch (this.#stage) {
      case OPENING: {
        const isControl = (byte & 0x08) !== 0
        if (!isControl) this.#fragmented = (byte & 0x80) === 0
        this.#stage = LENGTH
        return
      }
      case LENGTH: {
        const length = byte & 0x7f
        this.#maskBytes = (byte & 0x80) === 0 ? 0 : 4
        this.#payloadBytes = length < 126 ? length : 0
        if (length < 126) {
          this.#mask()
          return
        }
        this.#stage = EXTENDED_LENGTH
        this.#left = length === 126 ? 2 : 8
        return
      }
      case EXTENDED_LENGTH:
        this.#payloadBytes = this.#payloadBytes * 256 + byte
        this.#left -= 1
        if (this.#left === 0) this.#mask()
        return
      default:
        this.#left -= 1
        if (this.#left === 0) this.#payload()
    }
  }

  #mask(): void {
    if (this.#maskBytes === 0) {
      this.#payload()
      return
    }
    this.#stage = MASK
    this.#left = this.#maskBytes
  }

  #payload(): void {
    this.#stage = PAYLOAD
    this.#left = this.#payloadBytes
  }
}
