import { describe, expect, it } from 'vitest'
import { closeFrame, decodeSockjs, quoted } from '../../src/sockjs/sockjs-frame.ts'
import { parseSockjsPath, pathBelow } from '../../src/sockjs/sockjs-path.ts'
import { Seeded } from '../seeded.ts'

const SEED = 3_303
/** For machines that are busy with other things; it takes under a second. */
const FUZZ_TIMEOUT_MS = 60_000
const FRAGILE = ['\u200c', '\u200f', '\u2028', '\u202f', '\u2060', '\u206f', '\ufff0', '\uffff', '\0', '\x1f']

describe('frames to the client', () => {
  it('T2.1: every character that transports damage travels escaped, and comes back as it was', () => {
    for (let code = 0; code <= 0xffff; code += 1) {
      const text = String.fromCharCode(code)
      if (JSON.parse(quoted(text)) !== text) throw new Error(`U+${code.toString(16)}`)
    }
    for (const text of FRAGILE) expect(quoted(text)).toMatch(/^"\\u[0-9a-f]{4}"$/)
    expect(quoted('\ud800')).toBe('"\\ud800"')
  })

  it('T2.1: a close frame is its code and its reason', () => {
    expect(closeFrame(3000, 'Go away!')).toBe('c[3000,"Go away!"]')
    expect(closeFrame(4008, 'a "b"')).toBe('c[4008,"a \\"b\\""]')
  })
})

describe('payloads from the client', () => {
  it.each([
    ['', 'empty'],
    ['[', 'broken'],
    ['["a', 'broken'],
    ['{}', 'broken'],
    ['null', 'broken'],
    ['1', 'broken'],
    ['[1]', 'broken'],
    ['["a",null]', 'broken'],
    ['[["a"]]', 'broken'],
    ['["a","b","c","d"]', 'too-many'],
  ])('T2.2: %j is %s', (payload, kind) => {
    expect(decodeSockjs(payload, 3).kind).toBe(kind)
  })

  it('T2.2: an array of strings, a single string and an empty array are messages, up to the limit', () => {
    expect(decodeSockjs('["a","b","c"]', 3)).toEqual({ kind: 'messages', messages: ['a', 'b', 'c'] })
    expect(decodeSockjs('"a"', 3)).toEqual({ kind: 'messages', messages: ['a'] })
    expect(decodeSockjs('[]', 3)).toEqual({ kind: 'messages', messages: [] })
  })

  it(
    'T2.2: a payload that is cut anywhere is never taken for messages (60,000 cases)',
    () => {
      const random = new Seeded(SEED)
      let cases = 0
      while (cases < 60_000) {
        const messages = Array.from({ length: random.below(4) }, () => random.text(random.below(12)))
        const payload = `[${messages.map(quoted).join(',')}]`
        expect(decodeSockjs(payload, 3)).toEqual({ kind: 'messages', messages })
        for (let cut = 0; cut < payload.length; cut += 1) {
          const { kind } = decodeSockjs(payload.slice(0, cut), 3)
          if (kind === 'messages') throw new Error(`seed ${SEED}: ${JSON.stringify(payload)} cut at ${cut}`)
          cases += 1
        }
      }
    },
    FUZZ_TIMEOUT_MS,
  )

  it(
    'T2.2: random bytes and damaged payloads never throw (60,000 cases)',
    () => {
      const random = new Seeded(SEED)
      for (let round = 0; round < 60_000; round += 1) {
        const payload =
          round % 2 === 0
            ? random.bytes(random.below(40)).toString('latin1')
            : damaged(random, `["${random.text(random.below(8)).replaceAll('"', '')}","b"]`)
        const inbound = decodeSockjs(payload, 3)
        if (inbound.kind !== 'messages') continue
        const isSound =
          inbound.messages.every(message => typeof message === 'string') && inbound.messages.length <= 3
        if (!isSound) throw new Error(`seed ${SEED}: ${JSON.stringify(payload)}`)
      }
    },
    FUZZ_TIMEOUT_MS,
  )
})

function damaged(random: Seeded, payload: string): string {
  const at = random.below(payload.length)
  return payload.slice(0, at) + random.text(1) + payload.slice(at + random.below(2))
}

describe('paths below the prefix', () => {
  it.each([
    ['', 'greeting'],
    ['/', 'greeting'],
    ['/info', 'info'],
    ['/iframe.html', 'iframe'],
    ['/iframe-0.1.2abc-dirty.2144.html', 'iframe'],
    ['/iframe-/.html', 'unknown'],
    ['/IFRAME.HTML', 'unknown'],
    ['/websocket', 'websocket-raw'],
    ['//', 'unknown'],
    ['/a/a', 'unknown'],
    ['/a./a/xhr', 'unknown'],
    ['/a/a./xhr', 'unknown'],
    ['//a/xhr', 'unknown'],
    ['/a//xhr', 'unknown'],
    ['/a/a/xhr/', 'unknown'],
    ['/a/a/constructor', 'unknown'],
    ['/abcdefgh_i-j%20/abcdefg_i-j%20/xhr', 'session'],
    [`/0/${'x'.repeat(128)}/xhr`, 'session'],
    [`/0/${'x'.repeat(129)}/xhr`, 'unknown'],
    [`/${'x'.repeat(129)}/x/xhr`, 'unknown'],
  ])('T1.1: %j is %s', (path, kind) => {
    expect(parseSockjsPath(path).kind).toBe(kind)
  })

  it('T1.1: only paths below the prefix belong to the service', () => {
    expect(pathBelow('/chat/connect', '/chat/connect')).toBe('')
    expect(pathBelow('/chat/connect', '/chat/connect/info?t=1')).toBe('/info')
    expect(pathBelow('/chat/connect', '/chat/connect?x')).toBe('')
    expect(pathBelow('/chat/connect', '/chat/connected')).toBeUndefined()
    expect(pathBelow('/chat/connect', '/chat')).toBeUndefined()
  })
})
