import { Buffer, isUtf8 } from 'node:buffer'
import {
  DEFAULT_FRAME_LIMITS,
  isEscaped,
  type StompFault,
  type StompFaultKind,
  type StompFrame,
  type StompFrameLimits,
  type StompVersion,
} from './frame.ts'
import { unescapeHeader } from './header-escaping.ts'

export type StompParsed =
  | { readonly type: 'frame'; readonly frame: StompFrame }
  | { readonly type: 'heart-beat' }
  | { readonly type: 'fault'; readonly fault: StompFault }

const LF = 0x0a
const CR = 0x0d
/** The longest command of any version has 11 letters. */
const MAX_COMMAND_BYTES = 32
const NO_BYTES: Buffer = Buffer.alloc(0)
const NO_HEADERS: ReadonlyMap<string, string> = new Map()
const HEART_BEAT: StompParsed = { type: 'heart-beat' }
/** Nine digits: more would not fit any limit, and fewer than 2^53. */
const CONTENT_LENGTH = /^\d{1,9}$/

type Phase = 'between' | 'headers' | 'body' | 'failed'

/**
 * Reads STOMP frames from text or bytes cut anywhere. Never throws: what is wrong comes out as a fault, and nothing after it.
 *
 * Memory: at most the unread rest of what was pushed; nothing once everything is read. Time: linear in the bytes,
 * however they are cut. Line ends are LF or CR LF in every version (as the deployed clients and Spring have it; the
 * letter of the specification allows CR LF from 1.2 on), so that a 1.0 or 1.1 header value cannot end in CR.
 */
export class StompParser {
  /** Set it once the version is agreed on: from there on, headers are unescaped by its rules. */
  version: StompVersion = '1.2'
  readonly #limits: StompFrameLimits
  #bytes: Buffer = NO_BYTES
  /** The memory of #bytes is ours to write to, and may move. */
  #owned = false
  #start = 0
  #end = 0
  /** Up to here there is no end of the current line or body. */
  #scanned = 0
  #phase: Phase = 'between'
  #command = ''
  #headers: Map<string, string> | undefined
  #headerCount = 0
  /** Bytes of the frame before #start. */
  #frameBytes = 0
  /** From `content-length`; -1 when the body ends at the first NUL. */
  #bodyBytes = -1

  constructor(limits: StompFrameLimits = DEFAULT_FRAME_LIMITS) {
    this.#limits = limits
  }

  /** Bytes pushed and not read yet. */
  get heldBytes(): number {
    return this.#end - this.#start
  }

  /** Takes what came in. The caller must not change the bytes before `next()` has answered undefined or `retain()` was called. */
  push(data: string | Uint8Array): void {
    if (this.#phase === 'failed' || data.length === 0) return
    const chunk = typeof data === 'string' ? Buffer.from(data) : asBuffer(data)
    if (this.#start === this.#end) {
      this.#bytes = chunk
      this.#owned = false
      this.#start = 0
      this.#scanned = 0
      this.#end = chunk.length
    } else {
      this.#append(chunk)
    }
  }

  /** The next frame, run of heart-beats or fault; undefined when more bytes are needed. */
  next(): StompParsed | undefined {
    const parsed = this.#read()
    if (parsed === undefined) this.retain()
    return parsed
  }

  /** Lets go of the pushed bytes: what is unread is copied, so that a small rest keeps no large message alive. */
  retain(): void {
    if (this.#start === this.#end) {
      this.#bytes = NO_BYTES
      this.#start = this.#end = this.#scanned = 0
    } else if (!this.#owned) {
      this.#move(this.#end - this.#start)
    }
  }

  /** Forgets everything; nothing comes out afterwards. */
  stop(): void {
    this.#phase = 'failed'
    this.#bytes = NO_BYTES
    this.#start = this.#end = this.#scanned = 0
    this.#headers = undefined
  }

  #append(chunk: Buffer): void {
    const needed = this.#end - this.#start + chunk.length
    if (!this.#owned || this.#end + chunk.length > this.#bytes.length) {
      // Moving costs what is held: it is done only when that at least doubles the room or half of the memory is read.
      const fits = this.#owned && needed <= this.#bytes.length >>> 1
      this.#move(fits ? this.#bytes.length : Math.max(needed, (this.#end - this.#start) * 2))
    }
    chunk.copy(this.#bytes, this.#end)
    this.#end += chunk.length
  }

  /** Puts the unread bytes at the front of memory of our own. */
  #move(capacity: number): void {
    const held = this.#end - this.#start
    const bytes =
      this.#owned && capacity === this.#bytes.length ? this.#bytes : Buffer.allocUnsafeSlow(capacity)
    this.#bytes.copy(bytes, 0, this.#start, this.#end)
    this.#bytes = bytes
    this.#owned = true
    this.#scanned -= this.#start
    this.#start = 0
    this.#end = held
  }

  #read(): StompParsed | undefined {
    while (true) {
      const step = this.#step()
      if (step === 'more') return undefined
      if (step !== undefined) return step
    }
  }

  /** One phase, line or body further; undefined when there is nothing to give yet, but more to read. */
  #step(): StompParsed | 'more' | undefined {
    switch (this.#phase) {
      case 'between':
        return this.#readBetween()
      case 'headers':
        return this.#readLine()
      case 'body':
        return this.#readBody() ?? 'more'
      case 'failed':
        return 'more'
      default:
        return this.#phase satisfies never
    }
  }

  /** Line ends between frames are heart-beats. */
  #readBetween(): StompParsed | 'more' | undefined {
    const bytes = this.#bytes
    let at = this.#start
    while (at < this.#end) {
      if (bytes[at] === LF) at += 1
      else if (bytes[at] !== CR) break
      else if (at + 1 === this.#end) break
      else if (bytes[at + 1] === LF) at += 2
      else return this.#fault('malformed-frame', 'A carriage return stands alone between two frames.')
    }
    const beats = at > this.#start
    this.#start = this.#scanned = at
    if (beats) return HEART_BEAT
    if (at === this.#end || bytes[at] === CR) return 'more'
    this.#phase = 'headers'
    this.#command = ''
    this.#headers = undefined
    this.#headerCount = 0
    this.#frameBytes = 0
    this.#bodyBytes = -1
    return undefined
  }

  /** One line of the head: the command, a header, or the empty line before the body. */
  #readLine(): StompParsed | 'more' | undefined {
    const limit = this.#command === '' ? MAX_COMMAND_BYTES : this.#limits.maxHeaderLineBytes
    const lineFeed = indexWithin(this.#bytes, LF, this.#scanned, this.#end)
    if (lineFeed < 0) {
      const nul = indexWithin(this.#bytes, 0, this.#scanned, this.#end)
      this.#scanned = this.#end
      // The line's own CR may be there already.
      const pending = this.#end - this.#start
      if (nul >= 0)
        return this.#fault('malformed-frame', 'A NUL stands before the empty line that ends the headers.')
      return this.#checkHead(pending - 1, limit, pending) ?? 'more'
    }
    const hasCr = lineFeed > this.#start && this.#bytes[lineFeed - 1] === CR
    const lineEnd = hasCr ? lineFeed - 1 : lineFeed
    const start = this.#start
    const tooLarge = this.#checkHead(lineEnd - start, limit, lineFeed + 1 - start)
    if (tooLarge !== undefined) return tooLarge
    this.#frameBytes += lineFeed + 1 - start
    this.#start = this.#scanned = lineFeed + 1
    if (lineEnd === start) return this.#endOfHeaders()
    const text = lineText(this.#bytes, start, lineEnd)
    if (text === undefined)
      return this.#fault('malformed-frame', 'The command or a header is not valid UTF-8.')
    if (text.includes('\0')) return this.#fault('malformed-frame', 'A NUL stands in a header.')
    if (this.#command !== '') return this.#header(text)
    this.#command = text
    return undefined
  }

  #checkHead(lineBytes: number, maxLineBytes: number, pendingBytes: number): StompParsed | undefined {
    if (lineBytes > maxLineBytes) {
      return this.#command === ''
        ? this.#fault('unknown-command', 'The first line of the frame is no command.')
        : this.#fault('frame-too-large', `A header line is longer than ${maxLineBytes} bytes.`)
    }
    return this.#frameBytes + pendingBytes >= this.#limits.maxFrameBytes ? this.#tooLarge() : undefined
  }

  #tooLarge(): StompParsed {
    return this.#fault('frame-too-large', `The frame is larger than ${this.#limits.maxFrameBytes} bytes.`)
  }

  #header(line: string): StompParsed | undefined {
    this.#headerCount += 1
    if (this.#headerCount > this.#limits.maxHeaders) {
      return this.#fault('frame-too-large', `The frame has more than ${this.#limits.maxHeaders} headers.`)
    }
    const colon = line.indexOf(':')
    if (colon < 0) return this.#fault('malformed-frame', 'A header line has no colon.')
    if (colon === 0) return this.#fault('malformed-frame', 'A header has no name.')
    const escaped = isEscaped(this.#command)
    if (escaped && this.version === '1.2' && line.includes('\r')) {
      return this.#fault('malformed-frame', 'A carriage return in a header must be escaped in STOMP 1.2.')
    }
    const name = escaped ? unescapeHeader(this.version, line.slice(0, colon)) : line.slice(0, colon)
    const value = escaped ? unescapeHeader(this.version, line.slice(colon + 1)) : line.slice(colon + 1)
    if (name === undefined || value === undefined) {
      return this.#fault(
        'malformed-frame',
        `A header has an escape sequence that STOMP ${this.version} does not define.`,
      )
    }
    this.#headers ??= new Map()
    if (!this.#headers.has(name)) this.#headers.set(name, value)
    return undefined
  }

  #endOfHeaders(): StompParsed | undefined {
    if (this.#command === '') return this.#fault('malformed-frame', 'A frame begins with its command.')
    const contentLength = this.#headers?.get('content-length')
    if (contentLength !== undefined) {
      if (!CONTENT_LENGTH.test(contentLength.trim())) {
        return this.#fault('invalid-header', 'The content-length is not a number of bytes.')
      }
      this.#bodyBytes = Number(contentLength)
    }
    if (this.#frameBytes + Math.max(this.#bodyBytes, 0) + 1 > this.#limits.maxFrameBytes)
      return this.#tooLarge()
    this.#phase = 'body'
    return undefined
  }

  #readBody(): StompParsed | undefined {
    let bodyEnd: number
    if (this.#bodyBytes >= 0) {
      bodyEnd = this.#start + this.#bodyBytes
      if (bodyEnd >= this.#end) return undefined
      if (this.#bytes[bodyEnd] !== 0) {
        return this.#fault('malformed-frame', 'The body does not end where its content-length says.')
      }
    } else {
      const last = this.#start + this.#limits.maxFrameBytes - this.#frameBytes
      bodyEnd = indexWithin(this.#bytes, 0, this.#scanned, Math.min(this.#end, last))
      if (bodyEnd < 0) {
        this.#scanned = this.#end
        return this.#end >= last ? this.#tooLarge() : undefined
      }
    }
    const body = this.#bytes.subarray(this.#start, bodyEnd)
    this.#start = this.#scanned = bodyEnd + 1
    this.#phase = 'between'
    const headers = this.#headers ?? NO_HEADERS
    this.#headers = undefined
    return {
      type: 'frame',
      frame: { command: this.#command, headers, body: this.#owned ? Buffer.from(body) : body },
    }
  }

  #fault(kind: StompFaultKind, detail: string): StompParsed {
    const receipt = this.#headers?.get('receipt')
    this.stop()
    return { type: 'fault', fault: receipt === undefined ? { kind, detail } : { kind, detail, receipt } }
  }
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

/** Like `indexOf`, within a range: a match at or after `end` is none. */
function indexWithin(bytes: Buffer, byte: number, from: number, end: number): number {
  if (from >= end) return -1
  if (end === bytes.length) return bytes.indexOf(byte, from)
  const at = bytes.subarray(from, end).indexOf(byte)
  return at < 0 ? -1 : at + from
}

const BEYOND_ASCII = /[\x80-\xff]/

/** A line of the head; undefined when it is not valid UTF-8. Nearly all lines are ASCII, which is quick to read. */
function lineText(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('latin1', start, end)
  if (!BEYOND_ASCII.test(text)) return text
  return bodyText(bytes.subarray(start, end))
}

/** A body as text; undefined when it is not valid UTF-8. */
export function bodyText(body: Uint8Array): string | undefined {
  if (!isUtf8(body)) return undefined
  return asBuffer(body).toString('utf8')
}
