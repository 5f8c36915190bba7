import { seededRandom } from '@sgs-chat/contract/fakes'
import { expect, it } from 'vitest'
import { LineReader } from '../src/line-reader.ts'

it('L1: lines come out whole however their bytes arrive, ended by CRLF or by LF', () => {
  const random = seededRandom(1)
  const text = '{"a":1}\r\n\r\n한글 ☺\r\nshort\nlast\r\n'
  const bytes = Buffer.from(text)
  for (let round = 0; round < 200; round++) {
    const reader = new LineReader(100)
    const lines: string[] = []
    for (let from = 0; from < bytes.length; ) {
      const size = random.int(1, 6)
      lines.push(...reader.push(bytes.subarray(from, from + size)))
      from += size
    }
    expect(lines).toEqual(['{"a":1}', '', '한글 ☺', 'short', 'last'])
    expect(reader.isWithinLine).toBe(false)
  }
})

it('L5: a line of the limit is taken, one byte more is not, and no more than that is ever kept', () => {
  const reader = new LineReader(5)
  expect(reader.push(Buffer.from('12345\r\nxx'))).toEqual(['12345'])
  expect(reader.isWithinLine).toBe(true)
  expect(reader.isTooLong).toBe(false)
  expect(reader.push(Buffer.from('12345678'))).toEqual([])
  expect(reader.isTooLong).toBe(true)
  expect(reader.push(Buffer.from('more\r\n'))).toEqual([])
})
