import { parseRoomId, userId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import {
  decodeOriginalState,
  encodeOriginalRequest,
  encodeOriginalState,
  parseOriginalRequest,
} from '../src/original-wire.ts'

const STATE = { userId: userId('앨리스'), roomId: parseRoomId(7), sessionId: 's-1', studyTime: '01:02:03' }
const JSON_STATE = '{"userId":"앨리스","roomId":7,"sessionId":"s-1","studyTime":"01:02:03"}'

/** As Java prints an array of bytes, which are signed. */
const javaBytes = [...Buffer.from(JSON_STATE)].map(byte => (byte > 127 ? byte - 256 : byte))

describe("the original's requests", () => {
  it('L1: each of the three has the five fields of the contract', () => {
    const [sessionId, user, roomId] = ['s-1', userId('alice'), parseRoomId(7)]
    expect(encodeOriginalRequest({ type: 'SUBSCRIBE', sessionId, userId: user, roomId })).toBe(
      '{"server":"chat","user_id":"alice","room_id":7,"session":"s-1","type":"SUBSCRIBE"}',
    )
    expect(encodeOriginalRequest({ type: 'UNSUBSCRIBE', sessionId, userId: user })).toBe(
      '{"server":"chat","user_id":"alice","room_id":null,"session":"s-1","type":"UNSUBSCRIBE"}',
    )
    expect(encodeOriginalRequest({ type: 'DISCONNECT', sessionId })).toBe(
      '{"server":"chat","user_id":"","room_id":null,"session":"s-1","type":"DISCONNECT"}',
    )
  })

  it.each([
    [undefined],
    [null],
    [7],
    [{}],
    [{ type: 'SUBSCRIBE', user_id: 'a', room_id: 1.5, session: 's' }],
    [{ type: 'SUBSCRIBE', user_id: '', room_id: 1, session: 's' }],
    [{ type: 'SUBSCRIBE', user_id: 'a', room_id: null, session: 's' }],
    [{ type: 'UNSUBSCRIBE', session: 's'.repeat(257) }],
    [{ type: 'HELLO', session: 's' }],
  ])('L1: %j is no request', input => {
    expect(parseOriginalRequest(input)).toBeUndefined()
  })

  it('L1: what is written is read, and a room may be a text of digits', () => {
    const request = {
      type: 'SUBSCRIBE',
      sessionId: 's',
      userId: userId('a'),
      roomId: parseRoomId(9),
    } as const
    expect(parseOriginalRequest(JSON.parse(encodeOriginalRequest(request)))).toEqual(request)
    expect(
      parseOriginalRequest({ type: 'SUBSCRIBE', user_id: 'a', room_id: '9', session: 's' }),
    ).toMatchObject({ roomId: 9 })
  })
})

describe("the original's answers", () => {
  it.each([
    ['JSON', JSON_STATE],
    ["JSON's bytes as numbers", javaBytes.join(',')],
    ["JSON's bytes as a Java array prints", `[${javaBytes.join(', ')}]`],
    ['JSON with spaces around', ` ${JSON_STATE} `],
  ])('L1: %s is understood', (_, line) => {
    expect(decodeOriginalState(line)).toEqual(STATE)
  })

  it.each(['', ' ', 'null'])('L1: %j says that the session is not known', line => {
    expect(decodeOriginalState(line)).toBeUndefined()
  })

  it('L1: a user who is nowhere has no room and no session', () => {
    const nowhere = { userId: userId('a'), roomId: null, sessionId: null, studyTime: undefined }
    expect(decodeOriginalState('{"userId":"a"}')).toEqual(nowhere)
    expect(decodeOriginalState('{"userId":"a","roomId":null,"sessionId":null,"extra":1}')).toEqual(nowhere)
  })

  it.each(['{', '{}', '[]', '"text"', '1,2,3', 'true', '<html>', '{"userId":7}'])(
    'L3: %s is no answer: TCP_CONNECTION_FAILED, and not quoted',
    line => {
      expect(() => decodeOriginalState(line)).toThrow(
        expect.objectContaining({ code: 'TCP_CONNECTION_FAILED', cause: undefined }),
      )
    },
  )

  it('L1: what our server writes is what the original wrote', () => {
    expect(encodeOriginalState(STATE)).toBe(JSON_STATE)
    expect(encodeOriginalState(undefined)).toBe('')
  })
})
