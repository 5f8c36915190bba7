import { describe, expect, it } from 'vitest'
import {
  binaryFrame,
  frameHeadBytes,
  textFrame,
  writeFrameHead,
} from '../../src/websocket/websocket-frame.ts'

describe('the frames a server writes', () => {
  it.each([
    [0, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
  ])('T3.1: a payload of %i bytes has a head of %i, final and unmasked', (payloadBytes, headBytes) => {
    const frame = textFrame('x'.repeat(payloadBytes))
    expect(frame.length).toBe(headBytes + payloadBytes)
    expect(frameHeadBytes(payloadBytes)).toBe(headBytes)
    expect(frame[0]).toBe(0x81)
    expect(lengthOf(frame)).toBe(payloadBytes)
    expect(frame.subarray(headBytes).toString()).toBe('x'.repeat(payloadBytes))
  })

  it('T3.1: the length of a payload over 4 GiB is written whole', () => {
    const head = Buffer.alloc(10)
    expect(writeFrameHead(head, 1, 2 ** 32 + 5)).toBe(10)
    expect(lengthOf(head)).toBe(2 ** 32 + 5)
  })

  it('T3.1: text is counted in bytes of UTF-8', () => {
    const frame = textFrame('\u20ac\u{1f600}')
    expect(frame[1]).toBe(7)
    expect(frame.subarray(2).toString('utf8')).toBe('\u20ac\u{1f600}')
  })

  it('T3.1: bytes travel as they are in a binary frame', () => {
    const frame = binaryFrame(Uint8Array.of(0, 255, 128))
    expect([...frame]).toEqual([0x82, 3, 0, 255, 128])
  })
})

function lengthOf(frame: Buffer): number {
  const short = frame[1] ?? 0
  if (short < 126) return short
  return short === 126 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2))
}
