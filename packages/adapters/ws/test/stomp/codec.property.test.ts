import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { encodeFrame } from '../../src/stomp/encoder.ts'
import type { StompFrameLimits, StompVersion } from '../../src/stomp/frame.ts'
import { bodyText, StompParser } from '../../src/stomp/parser.ts'
import { parseIn } from './parsing.ts'

/** A failing run prints its seed: pin it here to see it again. */
const SEED = 20_261_122

const versions = fc.constantFrom<StompVersion>('1.0', '1.1', '1.2')
const commands = fc.constantFrom('SEND', 'MESSAGE', 'ERROR', 'SUBSCRIBE', 'RECEIPT')
const spicy = fc.string({
  unit: fc.constantFrom('a', ':', '\\', '\n', '\r', ' ', 'c', 'n', 'r', '한', '😀', '\u0001', '\ud83d\ude00'),
  maxLength: 12,
})

/** What a version can carry: see W2, W5, W7 and W12. */
function carried(version: StompVersion, text: string, isName: boolean): string {
  if (version === '1.2') return text
  if (version === '1.1') return text.replace(/\r+$/, '')
  const plain = text.replace(/[\n\r]/g, ' ')
  return (isName ? plain.replaceAll(':', ' ') : plain).trim()
}

interface Sample {
  readonly version: StompVersion
  readonly command: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

const samples: fc.Arbitrary<Sample> = fc
  .record({
    version: versions,
    command: commands,
    headers: fc.array(fc.tuple(spicy, spicy), { maxLength: 6 }),
    body: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom('', '\0', 'a\0\nb\0')),
  })
  .map(({ version, command, headers, body }) => ({
    version,
    command,
    body: body.toWellFormed(),
    headers: headers
      .map(([name, value]) => [carried(version, name, true), carried(version, value, false)] as const)
      .filter(([name]) => name !== '' && name !== 'content-length'),
  }))

const LIMITS: StompFrameLimits = { maxFrameBytes: 256, maxHeaders: 6, maxHeaderLineBytes: 64 }

/** Frames of all kinds, then bytes of them changed, doubled, dropped and cut out. */
const mutated: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.array(samples, { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 10, 13, 58, 92, 0xc3, 0xff, 65), fc.nat(3)), {
      maxLength: 6,
    }),
  )
  .map(([frames, edits]) => {
    const text = frames.map(({ version, command, headers, body }) =>
      encodeFrame(version, command, headers, body),
    )
    const bytes = [...Buffer.from(text.join('\n'))]
    for (const [at, byte, kind] of edits) {
      const index = at % bytes.length
      if (kind === 0) bytes[index] = byte
      else if (kind === 1) bytes.splice(index, 0, byte)
      else if (kind === 2) bytes.splice(index, 1)
      else bytes.splice(index, at % 7, ...bytes.slice(0, at % 5))
      if (bytes.length === 0) bytes.push(byte)
    }
    return Uint8Array.from(bytes)
  })

/** Cuts bytes at the places, pushes them, and answers what came out, checking the bound after each push. */
function fed(
  version: StompVersion,
  bytes: Uint8Array,
  cuts: readonly number[],
  limits: StompFrameLimits,
): string {
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const parser = new StompParser(limits)
  parser.version = version
  let out = ''
  for (let index = 1; index < places.length; index++) {
    parser.push(bytes.subarray(places[index - 1], places[index]))
    for (let parsed = parser.next(); parsed !== undefined; parsed = parser.next()) {
      if (parsed.type === 'frame') {
        const { command, headers, body } = parsed.frame
        out += JSON.stringify([command, [...headers], Buffer.from(body).toString('latin1')])
      } else if (parsed.type === 'fault') out += 'fault'
    }
    if (parser.heldBytes > limits.maxFrameBytes) throw new Error(`${parser.heldBytes} bytes held`)
  }
  return out
}

describe('the codec under random input', () => {
  it('W1, W5, W12: what is encoded reads back, in every version (20,000 cases)', () => {
    fc.assert(
      fc.property(samples, ({ version, command, headers, body }) => {
        const { frames, fault } = parseIn([encodeFrame(version, command, headers, body)], version)
        const first = new Map(headers.toReversed())
        if (body !== '') first.set('content-length', String(Buffer.byteLength(body)))
        const read = frames.map(frame => [frame.command, new Map(frame.headers), bodyText(frame.body)])
        if (fault === undefined && isDeepStrictEqual(read, [[command, first, body]])) return
        throw new Error(JSON.stringify({ fault, read }))
      }),
      { seed: SEED, numRuns: 20_000 },
    )
  }, 60_000)

  it('W1: a cut at every byte changes nothing (300 cases)', () => {
    fc.assert(
      fc.property(samples, samples, (one, two) => {
        const text = encodeFrame(one.version, one.command, one.headers, one.body)
        const bytes = Buffer.from(`${text}\n${encodeFrame(one.version, two.command, two.headers, two.body)}`)
        const whole = parseIn([bytes], one.version)
        for (let cut = 0; cut <= bytes.length; cut++) {
          // `expect` would cost more than the parser does.
          const cutUp = parseIn([bytes.subarray(0, cut), bytes.subarray(cut)], one.version)
          if (!isDeepStrictEqual(cutUp, whole)) throw new Error(`cut at ${cut}: ${JSON.stringify(cutUp)}`)
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
  }, 60_000)

  it('W9, W10, W11: mutated frames never throw, stay bounded, and mean the same however they are cut (100,000 cases)', () => {
    fc.assert(
      fc.property(versions, mutated, fc.array(fc.nat(), { maxLength: 5 }), (version, bytes, cuts) => {
        const cutUp = fed(version, bytes, cuts, LIMITS)
        if (cutUp !== fed(version, bytes, [], LIMITS)) throw new Error(cutUp)
      }),
      { seed: SEED, numRuns: 100_000 },
    )
  }, 60_000)

  it('W9, W10, W11: random bytes never throw and stay bounded (50,000 cases)', () => {
    const bytes = fc.uint8Array({ maxLength: 120 })
    const likely = fc
      .array(fc.constantFrom(0, 10, 13, 58, 92, 65, 99, 0xc3), { maxLength: 80 })
      .map(array => Uint8Array.from(array))
    fc.assert(
      fc.property(
        versions,
        fc.oneof(bytes, likely),
        fc.array(fc.nat(), { maxLength: 4 }),
        (version, data, cuts) => {
          if (fed(version, data, cuts, LIMITS) !== fed(version, data, [], LIMITS))
            throw new Error('cuts matter')
        },
      ),
      { seed: SEED, numRuns: 50_000 },
    )
  }, 60_000)
})
