import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { StompFault, StompVersion } from '../../src/stomp/frame.ts'
import { DEFAULT_FRAME_LIMITS } from '../../src/stomp/frame.ts'
import { bodyText, StompParser } from '../../src/stomp/parser.ts'
import { parseAll, parseIn } from './parsing.ts'

const VERSIONS: readonly StompVersion[] = ['1.0', '1.1', '1.2']

function onlyFrame(data: string | Uint8Array, version: StompVersion = '1.2') {
  const parsed = parseAll(data, version)
  expect(parsed.fault).toBeUndefined()
  expect(parsed.frames).toHaveLength(1)
  const frame = parsed.frames[0]
  if (frame === undefined) throw new Error('no frame')
  return frame
}

function faultOf(data: string | Uint8Array, version: StompVersion = '1.2'): StompFault {
  const { fault } = parseAll(data, version)
  if (fault === undefined) throw new Error('no fault')
  return fault
}

describe('frames', () => {
  it('W1: a frame is a command, headers, an empty line, a body and a NUL', () => {
    const frame = onlyFrame('SEND\ndestination:/queue/a\ncontent-type:text/plain\n\nhello queue a\n\0')
    expect(frame.command).toBe('SEND')
    expect([...frame.headers]).toEqual([
      ['destination', '/queue/a'],
      ['content-type', 'text/plain'],
    ])
    expect(bodyText(frame.body)).toBe('hello queue a\n')
  })

  it('W1: many frames may come in one message', () => {
    const { frames } = parseAll('BEGIN\ntransaction:a\n\n\0\nCOMMIT\ntransaction:a\n\n\0DISCONNECT\n\n\0')
    expect(frames.map(frame => frame.command)).toEqual(['BEGIN', 'COMMIT', 'DISCONNECT'])
  })

  it('W1: a frame may come cut at every byte', () => {
    const bytes = Buffer.from(
      '\r\nSEND\r\ndestination:/queue/ü\ncontent-length:7\n\n한\0글\0\n\nACK\nid:1\n\n\0',
    )
    const whole = parseAll(bytes)
    expect(whole.frames).toHaveLength(2)
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(parseIn([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole)
    }
    expect(parseIn(Array.from(bytes, byte => Uint8Array.of(byte)))).toEqual(whole)
  })

  it.each(VERSIONS)('W2: lines end with LF or CR LF (%s)', version => {
    const frame = onlyFrame('SEND\r\ndestination:/queue/a\r\nx:1\n\r\nbody\0', version)
    expect([...frame.headers]).toEqual([
      ['destination', '/queue/a'],
      ['x', '1'],
    ])
    expect(bodyText(frame.body)).toBe('body')
  })

  it('W2: a bare carriage return in a header is a fault in 1.2, a character in 1.1', () => {
    expect(faultOf('SEND\nx:a\rb\n\n\0', '1.2').kind).toBe('malformed-frame')
    expect(onlyFrame('SEND\nx:a\rb\n\n\0', '1.1').headers.get('x')).toBe('a\rb')
  })

  it('W3: line ends before, between and after frames are heart-beats', () => {
    const parser = new StompParser()
    parser.push('\n\r\n\nACK\nid:1\n\n\0\n\nACK\nid:2\n\n\0\r')
    const types = () => Array.from({ length: 5 }, () => parser.next()?.type)
    expect(types()).toEqual(['heart-beat', 'frame', 'heart-beat', 'frame', undefined])
    parser.push('\n')
    expect(parser.next()?.type).toBe('heart-beat')
    expect(parser.heldBytes).toBe(0)
  })

  it('W4: a body with content-length may hold NUL', () => {
    expect(bodyText(onlyFrame('SEND\ncontent-length:5\n\na\0b\0c\0').body)).toBe('a\0b\0c')
  })

  it('W4: content-length counts bytes', () => {
    expect(bodyText(onlyFrame('SEND\ncontent-length:6\n\n한글\0').body)).toBe('한글')
  })

  it('W4: without content-length the body ends at the first NUL', () => {
    expect(bodyText(onlyFrame('SEND\n\nab\0').body)).toBe('ab')
  })

  it.each(['5', '3', '0'])('W4: a body of 4 bytes that says %s is a fault', length => {
    expect(faultOf(`SEND\ncontent-length:${length}\n\nabcd\0\n\n`).kind).toBe('malformed-frame')
  })

  it.each(['-1', '1e3', '', 'x', '0x10', '1234567890', '4.0'])('W4: content-length %j is a fault', length => {
    expect(faultOf(`SEND\ncontent-length:${length}\n\nabcd\0`).kind).toBe('invalid-header')
  })

  it('W4: a body of no bytes may be said', () => {
    expect(onlyFrame('SEND\ncontent-length:0\n\n\0').body).toHaveLength(0)
  })
})

describe('headers', () => {
  it('W5: 1.0 has no escapes', () => {
    expect(onlyFrame('SEND\nx:a\\nb\\c\\\\\\r\\t\n\n\0', '1.0').headers.get('x')).toBe('a\\nb\\c\\\\\\r\\t')
  })

  it('W5: 1.1 has \\n, \\c and \\\\', () => {
    expect(onlyFrame('SEND\n\\cx:a\\nb\\c\\\\n\n\n\0', '1.1').headers.get(':x')).toBe('a\nb:\\n')
    expect(faultOf('SEND\nx:a\\r\n\n\0', '1.1').kind).toBe('malformed-frame')
  })

  it('W5: 1.2 adds \\r', () => {
    expect(onlyFrame('SEND\nx:a\\r\\n\n\n\0', '1.2').headers.get('x')).toBe('a\r\n')
  })

  it.each(['\\t', '\\', 'a\\', '\\N', '\\0'])('W5: the undefined escape %j is a fault', text => {
    expect(faultOf(`SEND\nx:${text}\n\n\0`, '1.1').kind).toBe('malformed-frame')
    expect(faultOf(`SEND\nx:${text}\n\n\0`, '1.2').kind).toBe('malformed-frame')
  })

  it('W6: CONNECT is not unescaped', () => {
    expect(onlyFrame('CONNECT\npasscode:a\\tb\\c:\\\n\n\0').headers.get('passcode')).toBe('a\\tb\\c:\\')
  })

  it('W6: the first colon ends the name', () => {
    expect(onlyFrame('SUBSCRIBE\nsince:1:5\n\n\0').headers.get('since')).toBe('1:5')
  })

  it('W7: 1.0 loses the spaces around a value, 1.1 and 1.2 keep them', () => {
    expect(onlyFrame('SEND\nx:  a b \n\n\0', '1.0').headers.get('x')).toBe('a b')
    expect(onlyFrame('SEND\nx:  a b \n\n\0', '1.1').headers.get('x')).toBe('  a b ')
    expect(onlyFrame('SEND\nx:  a b \n\n\0', '1.2').headers.get('x')).toBe('  a b ')
  })

  it('W8: of repeated headers the first is the value', () => {
    expect(onlyFrame('MESSAGE\nfoo:World\nfoo:Hello\n\n\0').headers.get('foo')).toBe('World')
    expect(bodyText(onlyFrame('SEND\ncontent-length:1\ncontent-length:9\n\na\0').body)).toBe('a')
  })

  it('a header may have no value, and be named like a member of Object', () => {
    const { headers } = onlyFrame('SEND\nx:\n__proto__:a\nconstructor:b\n\n\0')
    expect([...headers]).toEqual([
      ['x', ''],
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })
})

describe('what is malformed', () => {
  it.each([
    ['a header without a colon', 'SEND\nnocolon\n\n\0'],
    ['a header without a name', 'SEND\n:value\n\n\0'],
    ['a NUL in a header', 'SEND\nx:a\0b\n\n\0'],
    ['a NUL in the command', 'SE\0ND\n\n\0'],
    ['a head without its empty line', 'SEND\ndestination:/queue/a\0'],
    ['a carriage return alone between frames', '\rSEND\n\n\0'],
    ['invalid UTF-8 in a header', Buffer.from([0x53, 0x0a, 0x78, 0x3a, 0xc3, 0x28, 0x0a, 0x0a, 0])],
    ['a surrogate in UTF-8', Buffer.from([0x53, 0x0a, 0x78, 0x3a, 0xed, 0xa0, 0x80, 0x0a, 0x0a, 0])],
  ])('W9: %s', (_what, data) => {
    expect(faultOf(data).kind).toBe('malformed-frame')
  })

  it('W9: nothing comes out after a fault', () => {
    const parser = new StompParser()
    parser.push('SEND\nnocolon\n\n\0ACK\nid:1\n\n\0')
    expect(parser.next()?.type).toBe('fault')
    expect(parser.next()).toBeUndefined()
    parser.push('ACK\nid:1\n\n\0')
    expect(parser.next()).toBeUndefined()
    expect(parser.heldBytes).toBe(0)
  })

  it('W32: a fault knows the receipt that stood before it', () => {
    expect(faultOf('SEND\nreceipt:7\nnocolon\n\n\0').receipt).toBe('7')
  })
})

describe('limits', () => {
  const limits = { maxFrameBytes: 100, maxHeaders: 3, maxHeaderLineBytes: 20 }
  const kinds = (data: string) => {
    const whole = parseIn([data], '1.2', limits)
    expect(
      parseIn(
        Array.from(Buffer.from(data), byte => Uint8Array.of(byte)),
        '1.2',
        limits,
      ),
    ).toEqual(whole)
    return whole.fault?.kind ?? 'frame'
  }

  it.each([
    ['without content-length', (size: number) => `SEND\n\n${'x'.repeat(size - 7)}\0`],
    [
      'with content-length',
      (size: number) => `SEND\ncontent-length:${size - 25}\n\n${'x'.repeat(size - 25)}\0`,
    ],
    [
      'in headers',
      (size: number) => `SEND\n${'a:234567890123456789\n'.repeat(3)}abcdefg:${'x'.repeat(size - 79)}\n\n\0`,
    ],
  ])('W10: a frame of maxFrameBytes, %s', (_where, frame) => {
    const roomy =
      frame(100).split('\n').length > 5 ? { ...limits, maxHeaders: 9, maxHeaderLineBytes: 99 } : limits
    expect(Buffer.byteLength(frame(100))).toBe(100)
    expect(parseIn([frame(100)], '1.2', roomy).frames).toHaveLength(1)
    expect(parseIn([frame(101)], '1.2', roomy).fault?.kind).toBe('frame-too-large')
  })

  it('W10: a frame that is too large is refused before all of it came', () => {
    expect(kinds('SEND\ncontent-length:76\n\n')).toBe('frame-too-large')
    expect(kinds('SEND\ncontent-length:75\n\n')).toBe('frame')
    expect(kinds(`SEND\n\n${'x'.repeat(93)}`)).toBe('frame')
    expect(kinds(`SEND\n\n${'x'.repeat(94)}`)).toBe('frame-too-large')
  })

  it('W10: maxHeaders counts repeated headers', () => {
    expect(kinds('SEND\na:1\na:1\na:1\n\n\0')).toBe('frame')
    expect(kinds('SEND\na:1\na:1\na:1\na:1\n\n\0')).toBe('frame-too-large')
  })

  it('W10: maxHeaderLineBytes counts the line without its end', () => {
    expect(kinds(`SEND\na:${'x'.repeat(18)}\r\n\n\0`)).toBe('frame')
    expect(kinds(`SEND\na:${'x'.repeat(19)}\n\n\0`)).toBe('frame-too-large')
    expect(kinds(`SEND\na:${'x'.repeat(40)}`)).toBe('frame-too-large')
  })

  it('W10: a command is at most 32 bytes', () => {
    expect(kinds(`${'X'.repeat(32)}\n\n\0`)).toBe('frame')
    expect(kinds(`${'X'.repeat(33)}\n\n\0`)).toBe('unknown-command')
    expect(kinds('GET /chat/connect/websocket HTTP/1.1 and so on')).toBe('unknown-command')
  })
})

describe('memory and time', () => {
  it('W11: nothing is kept once everything is read', () => {
    const parser = new StompParser()
    parser.push('ACK\nid:1\n\n\0')
    parser.next()
    expect(parser.next()).toBeUndefined()
    expect(parser.heldBytes).toBe(0)
  })

  it('W11: the bytes pushed may be used again once they were read', () => {
    const parser = new StompParser()
    const bytes = Buffer.from('SEND\nx:abc\n')
    parser.push(bytes)
    expect(parser.next()).toBeUndefined()
    bytes.fill(0x7a)
    parser.push('\nbody\0')
    const parsed = parser.next()
    expect(parsed?.type === 'frame' && parsed.frame.headers.get('x')).toBe('abc')
  })

  it('W11: a frame of the largest size is put together from single bytes', () => {
    const size = DEFAULT_FRAME_LIMITS.maxFrameBytes
    const bytes = Buffer.from(`SEND\n\n${'x'.repeat(size - 7)}\0`)
    const parser = new StompParser()
    let moved = 0
    const copy = Buffer.prototype.copy
    Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer['copy']>) {
      const copied = copy.apply(this, args)
      moved += copied
      return copied
    }
    try {
      for (const byte of bytes.subarray(0, -1)) {
        parser.push(Uint8Array.of(byte))
        if (parser.next() !== undefined) throw new Error('something came out too early')
      }
    } finally {
      Buffer.prototype.copy = copy
    }
    parser.push('\0')
    expect(parser.next()?.type).toBe('frame')
    expect(moved).toBeLessThan(4 * size)
  }, 30_000)
})
