import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** Where frames go. The bytes are only good during the call. */
export interface FrameListener {
  text(buffer: Buffer, start: number, end: number): void
  /** All whole frames of one read were given. */
  readEnd(): void
  closed(reason: string): void
}

export interface RawWebSocketOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly localAddress?: string
  readonly subprotocol?: string
}

const KEY = 'c2dzLWNoYXQgYmVuY2ggMQ=='
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
const EMPTY = Buffer.alloc(0)
const FINAL_TEXT = 0x81
const FINAL_CLOSE = 0x88
const FINAL_PING = 0x89
const FINAL_PONG = 0x8a

/** All sockets of the process read into one buffer: a read is dealt with before the next one begins. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024)

/**
 * A WebSocket client (RFC 6455) with as little in it as a load generator needs: it copies only a frame that was cut
 * by the end of a read, and allocates nothing for each frame. It refuses fragmented messages and extensions.
 */
export class RawWebSocket {
  readonly #listener: FrameListener
  readonly #options: RawWebSocketOptions
  readonly #outgoing: Buffer[] = []
  #socket: Socket | undefined
  #opened: { resolve(): void; reject(error: Error): void } | undefined
  #pending: Buffer = EMPTY

  constructor(options: RawWebSocketOptions, listener: FrameListener) {
    this.#options = options
    this.#listener = listener
  }

  /** Connects and upgrades. */
  open(): Promise<void> {
    const { host, port, localAddress } = this.#options
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: { buffer: scratch, callback: bytes => this.#read(bytes) },
    })
    this.#socket = socket
    socket.on('connect', () => socket.write(this.#request()))
    socket.on('error', error => this.#fail(error.message))
    socket.on('close', () => this.#fail('the server closed the connection'))
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject }
    })
  }

  /** Keeps a text message for the next `flush`. */
  queue(text: string): void {
    this.#outgoing.push(maskedFrame(FINAL_TEXT, Buffer.from(text)))
  }

  /** Sends what was queued, in one write. */
  flush(): void {
    const frames = this.#outgoing
    if (frames.length === 0) return
    const [first] = frames
    this.#socket?.write(frames.length === 1 && first !== undefined ? first : Buffer.concat(frames))
    frames.length = 0
  }

  send(text: string): void {
    this.queue(text)
    this.flush()
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket?.removeAllListeners('close')
    this.#socket?.destroy()
  }

  #request(): string {
    const { host, port, path, subprotocol } = this.#options
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${host}:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Key: ${KEY}`,
      'Sec-WebSocket-Version: 13',
    ]
    if (subprotocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`)
    return `${lines.join('\r\n')}\r\n\r\n`
  }

  #fail(reason: string): void {
    const opened = this.#opened
    this.#opened = undefined
    if (opened !== undefined) opened.reject(new Error(reason))
    else this.#listener.closed(reason)
    this.destroy()
  }

  #read(bytes: number): boolean {
    let buffer = scratch
    let end = bytes
    if (this.#pending.length > 0) {
      buffer = Buffer.concat([this.#pending, scratch.subarray(0, bytes)])
      end = buffer.length
    }
    let start = 0
    if (this.#opened !== undefined) start = this.#handshake(buffer.subarray(0, end))
    start = this.#frames(buffer, start, end)
    this.#pending = start === end ? EMPTY : Buffer.from(buffer.subarray(start, end))
    if (this.#opened === undefined) this.#listener.readEnd()
    return true
  }

  /** Where the frames begin; 0 as long as the answer is not whole. */
  #handshake(answer: Buffer): number {
    const end = answer.indexOf('\r\n\r\n')
    if (end < 0) return 0
    const head = answer.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 101') || !head.includes(ACCEPT)) {
      this.#fail(`no upgrade: ${head.slice(0, 60)}`)
    } else {
      this.#opened?.resolve()
      this.#opened = undefined
    }
    return end + 4
  }

  /** Gives every whole frame; returns where the first cut one begins. */
  #frames(buffer: Buffer, from: number, end: number): number {
    let start = from
    while (this.#opened === undefined && end - start >= 2) {
      let length = (buffer[start + 1] ?? 0) & 0x7f
      let payload = start + 2
      if (length === 126) {
        if (end - start < 4) break
        length = buffer.readUInt16BE(start + 2)
        payload = start + 4
      } else if (length === 127) {
        if (end - start < 10) break
        length = buffer.readUInt32BE(start + 6)
        payload = start + 10
      }
      if (payload + length > end) break
      if (buffer[start] === FINAL_TEXT) this.#listener.text(buffer, payload, payload + length)
      else this.#control(buffer[start] ?? 0, buffer, payload, payload + length)
      start = payload + length
    }
    return start
  }

  #control(head: number, buffer: Buffer, start: number, end: number): void {
    if (head === FINAL_PING) {
      this.#socket?.write(maskedFrame(FINAL_PONG, buffer.subarray(start, end)))
    } else if (head === FINAL_CLOSE) {
      const code = end - start >= 2 ? buffer.readUInt16BE(start) : 1005
      this.#fail(`closed with ${code} ${buffer.toString('utf8', start + 2, end)}`)
    } else if (head !== FINAL_PONG) {
      this.#fail(`a frame that begins with 0x${head.toString(16)} was not expected`)
    }
  }
}

/** A frame of up to 65,535 bytes as a client sends it; the servers unmask whatever the key is. */
function maskedFrame(head: number, payload: Buffer): Buffer {
  const { length } = payload
  const isShort = length < 126
  const start = isShort ? 6 : 8
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = head
  frame[1] = 0x80 | (isShort ? length : 126)
  if (!isShort) frame.writeUInt16BE(length, 2)
  frame.set(MASK, start - 4)
  for (let index = 0; index < length; index += 1) {
    frame[start + index] = (payload[index] ?? 0) ^ (MASK[index & 3] ?? 0)
  }
  return frame
}
