import {
  ChatError,
  comparePositions,
  DEFAULT_LIMITS,
  ERRORS,
  failedResponse,
  formatPosition,
  type Limits,
  parseChatDraft,
  parsePosition,
  parseRoomId,
  parseRoomJson,
  positionFromKey,
  positionKey,
  utf8Bytes,
  withDefaultLimits,
} from '@sgs-chat/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return ChatError.is(error) ? error.code : String(error)
  }
  return 'no error'
}

describe('room ids', () => {
  it.each([0, 1, 42, Number.MAX_SAFE_INTEGER, '0', '7', '9007199254740991'])('G7.5: %j is a room', value => {
    expect(parseRoomId(value)).toBe(Number(value))
  })

  it.each([
    '',
    '007',
    '-1',
    '+1',
    '1.0',
    '1e3',
    ' 1',
    '9007199254740992',
    '９',
    '0x1',
    -1,
    -0,
    1.5,
    2 ** 53,
    Number.NaN,
    null,
    undefined,
    true,
    [],
    {},
    1n,
  ])('G7.5: %s is refused, never rounded into another room', value => {
    expect(codeOf(() => parseRoomId(value))).toBe('INVALID_MESSAGE_FORMAT')
  })
})

describe('JSON with room ids', () => {
  it.each([
    ['{"roomId":7}', 7],
    ['{"roomId":"7"}', 7],
    ['{ "content": "1.0", "roomId" : 7 , "x": 1.0 }', 7],
    ['{"roomId":8,"roomId":7}', 7],
    ['{"content":"\\"roomId\\":8,","\\u0072oomId":7}', 7],
    ['{ "\\u0072oomId" : 9007199254740991 }', 9007199254740991],
  ])('G7.5: %s names its room', (json, room) => {
    expect(parseRoomId((parseRoomJson(json) as { roomId: unknown }).roomId)).toBe(room)
  })

  it.each(['5.0', '1e3', '-0', '-1', '9007199254740993', '5.0000000000000000001', '9007199254740990.6'])(
    'G7.5: a roomId written as %s is refused, however its key is written',
    written => {
      for (const key of ['roomId', '\\u0072oomId', 'room\\u0049d']) {
        for (const json of [`{"${key}":${written}}`, `{"roomId":7,"content":"1","${key}" : ${written}}`]) {
          const { roomId } = parseRoomJson(json) as { roomId: unknown }
          expect(codeOf(() => parseRoomId(roomId))).toBe('INVALID_MESSAGE_FORMAT')
        }
      }
    },
  )

  it('G7.5: what is no JSON is refused without being quoted, other fields are left as they are', () => {
    expect(codeOf(() => parseRoomJson('{"roomId":007}'))).toBe('INVALID_MESSAGE_FORMAT')
    expect(parseRoomJson('{"roomId":1,"x":[1.0,null,{"y":1e3}]}')).toEqual({
      roomId: 1,
      x: [1, null, { y: 1000 }],
    })
  })
})

describe('positions', () => {
  const position = fc.record({ epoch: fc.nat(4_000_000_000), seq: fc.maxSafeNat() })

  it('G2.1: a position survives the wire', () => {
    fc.assert(
      fc.property(position, one => {
        expect(parsePosition(formatPosition(one), 'since')).toEqual(one)
      }),
    )
  })

  it('G6.0: the head of an empty room is a place, below every other of its epoch', () => {
    const head = { epoch: 1, seq: -1 }
    expect(parsePosition(formatPosition(head), 'since')).toEqual(head)
    const keys = [{ epoch: 0, seq: Number.MAX_SAFE_INTEGER }, head, { epoch: 1, seq: 0 }].map(positionKey)
    expect(keys.toSorted()).toEqual(keys)
  })

  it('G3.4: positions are stored as fixed-width text that sorts as they do', () => {
    fc.assert(
      fc.property(position, position, (one, other) => {
        const [a, b] = [positionKey(one), positionKey(other)]
        expect(a).toHaveLength(b.length)
        expect(Math.sign(comparePositions(one, other))).toBe(a < b ? -1 : a > b ? 1 : 0)
        expect(positionFromKey(a)).toEqual(one)
      }),
    )
  })

  it.each([
    '',
    ':',
    '1',
    '1:',
    ':1',
    '1:-2',
    '1:-0',
    '1:-',
    '01:1',
    '1:01',
    '1:1 ',
    '1:9007199254740993',
    'a:b',
    '1:1:1',
    '1:1e3',
  ])('G6.0: %j is no position', text => {
    expect(codeOf(() => parsePosition(text, 'since'))).toBe('INVALID_MESSAGE_FORMAT')
  })
})

describe('drafts', () => {
  const limits: Limits = withDefaultLimits({
    maxContentBytes: 10,
    maxMessageTypeLength: 4,
    maxClientMessageIdLength: 3,
  })
  const good = { roomId: '7', messageType: 'TEXT', content: 'hello' }
  const draft = (changes: object): string => codeOf(() => parseChatDraft({ ...good, ...changes }, limits))

  it('takes a room as number or digits, and ignores unknown keys', () => {
    expect(parseChatDraft({ ...good, extra: 1, senderId: null }, limits)).toEqual({ ...good, roomId: 7 })
  })

  it('content is taken up to its limit in bytes of UTF-8, and refused one byte above', () => {
    expect(draft({ content: '가나다a' })).toBe('no error')
    expect(draft({ content: '가나다ab' })).toBe('TOO_LARGE')
  })

  it('messageType and clientMessageId are taken up to their limits, and refused one character above', () => {
    expect(draft({ messageType: 'ABCD', clientMessageId: 'abc' })).toBe('no error')
    expect(draft({ messageType: 'ABCDE' })).toBe('TOO_LARGE')
    expect(draft({ clientMessageId: 'abcd' })).toBe('TOO_LARGE')
  })

  it.each([
    { content: 1 },
    { content: null },
    { content: undefined },
    { content: 'a\u0000b' },
    { content: '\ud800' },
    { messageType: '' },
    { messageType: 3 },
    { messageType: '\u0000' },
    { roomId: null },
    { roomId: {} },
    { clientMessageId: '' },
    { clientMessageId: 5 },
    { retry: 'yes' },
    { senderId: 3 },
  ])('%j is refused as malformed', changes => {
    expect(draft(changes)).toBe('INVALID_MESSAGE_FORMAT')
  })

  it.each([null, undefined, 'text', 3, []])('%j is no draft', input => {
    expect(codeOf(() => parseChatDraft(input, limits))).toBe('INVALID_MESSAGE_FORMAT')
  })
})

describe('errors', () => {
  it('E1: every code of the contract has its number, status word and message', () => {
    expect(
      Object.values(ERRORS)
        .map(({ code }) => code)
        .sort(),
    ).toEqual(
      [
        '001',
        '002',
        '003',
        '004',
        '005',
        '006',
        '007',
        '008',
        '009',
        '011',
        '012',
        '013',
        '014',
        '015',
        '021',
        '022',
        '023',
        '031',
        '032',
        '033',
        '034',
        '035',
      ].map(number => `CHAT-${number}`),
    )
  })

  it('E2: a failure answers with result, message, status, code, description, retryable and outcome', () => {
    const error = new ChatError('KAFKA_TIMEOUT', 'the broker did not answer', {
      outcome: 'unknown',
      cause: new Error('x'),
    })
    expect(failedResponse(error)).toEqual({
      result: 'Failed',
      message: '카프카 연결 시간 초과',
      status: 'INTERNAL_SOCKET_ERROR',
      code: 'CHAT-014',
      description: 'the broker did not answer',
      retryable: true,
      outcome: 'unknown',
    })
  })

  it('wraps what is not a ChatError once, keeping it as the cause and out of the text', () => {
    const cause = new Error('password=hunter2')
    const error = ChatError.from(cause)
    expect(error.code).toBe('UNKNOWN_SERVER_ERROR')
    expect(error.cause).toBe(cause)
    expect(error.message).not.toContain('hunter2')
    expect(ChatError.from(error)).toBe(error)
  })
})

describe('limits', () => {
  it('keeps defaults beside changes, and refuses what is no limit', () => {
    expect(withDefaultLimits({ maxPageChats: 7 })).toEqual({ ...DEFAULT_LIMITS, maxPageChats: 7 })
    expect(() => withDefaultLimits({ maxPageChats: -1 })).toThrow(RangeError)
    expect(() => withDefaultLimits({ maxPageChats: 1.5 })).toThrow(RangeError)
    expect(() => withDefaultLimits({ noSuchLimit: 1 } as object)).toThrow(RangeError)
  })
})

describe('UTF-8 length', () => {
  it('is what an encoder makes of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length)
      }),
      { numRuns: 2_000 },
    )
    expect(utf8Bytes('a\ud800b')).toBe(new TextEncoder().encode('a\ud800b').length)
  })
})
