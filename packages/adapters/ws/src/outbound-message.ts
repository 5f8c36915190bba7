import { quoted } from './sockjs/sockjs-frame.ts'
import { binaryFrame, textFrame } from './websocket/websocket-frame.ts'

/**
 * One message on its way out, to any number of connections.
 *
 * The payload never changes, so each encoding is made once, by the first connection that needs it, and shared: make
 * one `OutboundMessage` and `send` the same object to everybody. A text travels as a text message; bytes travel as a
 * binary message over raw WebSocket and as UTF-8 text over SockJS, which has no binary.
 */
export class OutboundMessage {
  readonly payload: string | Uint8Array
  /** Bytes of the payload alone (a text counted as UTF-8): what queue limits count. */
  readonly byteLength: number
  #rawFrame: Buffer | undefined
  #sockjsFrame: Buffer | undefined
  #quoted: string | undefined

  constructor(payload: string | Uint8Array) {
    this.payload = payload
    this.byteLength = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength
  }

  /** The bytes of the message's one WebSocket frame. */
  get rawFrame(): Buffer {
    this.#rawFrame ??=
      typeof this.payload === 'string' ? textFrame(this.payload, this.byteLength) : binaryFrame(this.payload)
    return this.#rawFrame
  }

  /** The bytes of the WebSocket frame that carries `a["…"]`. */
  get sockjsFrame(): Buffer {
    this.#sockjsFrame ??= textFrame(`a[${this.quoted}]`)
    return this.#sockjsFrame
  }

  /** The payload as a JSON string, an element of an `a[…]` frame. */
  get quoted(): string {
    this.#quoted ??= quoted(
      typeof this.payload === 'string' ? this.payload : Buffer.from(this.payload).toString('utf8'),
    )
    return this.#quoted
  }
}
