import { connect, type Socket } from 'node:net'

/** A TCP client that says exactly what a test wants and keeps what it hears. */
export class RawSocket {
  readonly socket: Socket
  received: Buffer = Buffer.alloc(0)
  isClosed = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => {
      this.received = Buffer.concat([this.received, chunk])
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
      this.#wake()
    })
  }

  static async open(port: number): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1' })
    await new Promise(resolve => socket.once('connect', resolve))
    return new RawSocket(socket)
  }

  /** A client that has finished the handshake of a WebSocket on `path`. */
  static async webSocket(port: number, path: string, headers: readonly string[] = []): Promise<RawSocket> {
    const raw = await RawSocket.open(port)
    raw.socket.write(upgradeRequest(path, headers))
    const head = await raw.upTo('\r\n\r\n')
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(head)
    return raw
  }

  async upTo(mark: string): Promise<string> {
    for (;;) {
      const at = this.received.indexOf(mark)
      if (at >= 0) {
        const taken = this.received.subarray(0, at + mark.length).toString('latin1')
        this.received = this.received.subarray(at + mark.length)
        return taken
      }
      if (this.isClosed) throw new Error(`closed before ${JSON.stringify(mark)}`)
      await this.#next()
    }
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.received.length < count) {
      if (this.isClosed) throw new Error(`closed after ${this.received.length} of ${count} bytes`)
      await this.#next()
    }
    const taken = this.received.subarray(0, count)
    this.received = this.received.subarray(count)
    return taken
  }

  /** Everything until the server closes. */
  async rest(): Promise<Buffer> {
    while (!this.isClosed) await this.#next()
    return this.received
  }

  #next(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}

export function upgradeRequest(path: string, headers: readonly string[] = []): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==',
    ...headers,
    '\r\n',
  ].join('\r\n')
}

export interface FrameOptions {
  readonly opcode?: number
  readonly isFinal?: boolean
}

/** A frame as a client sends it, masked. */
export function clientFrame(
  payload: string | Uint8Array,
  { opcode = 1, isFinal = true }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload)
  const mask = Buffer.from([1, 2, 3, 4])
  const length =
    bytes.length < 126
      ? Buffer.from([0x80 | bytes.length])
      : bytes.length < 65_536
        ? Buffer.from([0x80 | 126, bytes.length >> 8, bytes.length & 0xff])
        : Buffer.concat([Buffer.from([0x80 | 127, 0, 0, 0, 0]), uint32(bytes.length)])
  const masked = bytes.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([(isFinal ? 0x80 : 0) | opcode]), length, mask, masked])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export interface ServerFrame {
  readonly opcode: number
  readonly payload: Buffer
}

/** Reads the next unmasked frame that the server sent. */
export async function serverFrame(raw: RawSocket): Promise<ServerFrame> {
  const head = await raw.bytes(2)
  const short = (head[1] ?? 0) & 0x7f
  let length = short
  if (short === 126) length = (await raw.bytes(2)).readUInt16BE()
  if (short === 127) length = Number((await raw.bytes(8)).readBigUInt64BE())
  return { opcode: (head[0] ?? 0) & 0xf, payload: Buffer.from(await raw.bytes(length)) }
}

/** Reads up to the close frame; its code and reason. */
export async function closeOf(raw: RawSocket): Promise<[number, string]> {
  for (;;) {
    const { opcode, payload } = await serverFrame(raw)
    if (opcode === 8) return [payload.readUInt16BE(), payload.subarray(2).toString()]
  }
}
