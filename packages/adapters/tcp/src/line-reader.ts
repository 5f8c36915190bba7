const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * Cuts what a socket gives into lines: each ends with CRLF, or with LF alone, which no JSON on one line contains either.
 * Never holds more than one line's bytes beyond the chunk it is given.
 */
export class LineReader {
  /** The line that has begun was longer than may be: the connection is of no use any more. */
  isTooLong = false
  private readonly maxBytes: number
  private readonly begun: Buffer[] = []
  private begunBytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Whether a line has begun and not ended. */
  get isWithinLine(): boolean {
    return this.begunBytes > 0
  }

  /** The lines that end within the chunk. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let from = 0
    while (!this.isTooLong) {
      const end = chunk.indexOf(NEWLINE, from)
      this.add(chunk.subarray(from, end === -1 ? chunk.length : end))
      if (this.isTooLong || end === -1) break
      lines.push(this.take())
      from = end + 1
    }
    return lines
  }

  private add(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.begun.push(bytes)
    this.begunBytes += bytes.length
    // One byte more: it may be the CR.
    if (this.begunBytes > this.maxBytes + 1) this.isTooLong = true
  }

  private take(): string {
    const [first, ...more] = this.begun.splice(0)
    this.begunBytes = 0
    if (first === undefined) return ''
    const bytes = more.length === 0 ? first : Buffer.concat([first, ...more])
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length
    return bytes.toString('utf8', 0, end)
  }
}
