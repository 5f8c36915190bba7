/** Opcodes of the data frames that a server writes (RFC 6455, section 5.2). */
const OPCODE_TEXT = 0x1
const OPCODE_BINARY = 0x2

const FINAL = 0x80
const MAX_LENGTH_7_BITS = 125
const MAX_LENGTH_16_BITS = 0xffff

/** A ping without a payload, ready for the socket (RFC 6455, section 5.5.2). */
export const PING_FRAME: Buffer = Buffer.from([FINAL | 0x9, 0])

/** Bytes of the head of an unmasked frame with a payload of this many bytes. */
export function frameHeadBytes(payloadBytes: number): number {
  if (payloadBytes <= MAX_LENGTH_7_BITS) return 2
  return payloadBytes <= MAX_LENGTH_16_BITS ? 4 : 10
}

/** Writes the head of one final, unmasked frame at the start of `target`; returns where the payload begins. */
export function writeFrameHead(target: Buffer, opcode: number, payloadBytes: number): number {
  target[0] = FINAL | opcode
  if (payloadBytes <= MAX_LENGTH_7_BITS) {
    target[1] = payloadBytes
    return 2
  }
  if (payloadBytes <= MAX_LENGTH_16_BITS) {
    target[1] = 126
    target.writeUInt16BE(payloadBytes, 2)
    return 4
  }
  target[1] = 127
  target.writeUInt32BE(Math.floor(payloadBytes / 0x1_0000_0000), 2)
  target.writeUInt32BE(payloadBytes % 0x1_0000_0000, 6)
  return 10
}

/** One whole message as a server sends it: final and unmasked, a text frame of UTF-8 (RFC 6455, section 5.6). */
export function textFrame(text: string, textBytes: number = Buffer.byteLength(text)): Buffer {
  const frame = Buffer.allocUnsafe(frameHeadBytes(textBytes) + textBytes)
  frame.write(text, writeFrameHead(frame, OPCODE_TEXT, textBytes), 'utf8')
  return frame
}

/** One whole message as a server sends it: final and unmasked, a binary frame. */
export function binaryFrame(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeadBytes(bytes.byteLength) + bytes.byteLength)
  frame.set(bytes, writeFrameHead(frame, OPCODE_BINARY, bytes.byteLength))
  return frame
}
