import { ChatError } from '../error.ts'

declare const roomIdBrand: unique symbol
/** An integer 0 … 2^53−1; room 0 is the lobby. */
export type RoomId = number & { readonly [roomIdBrand]: true }

const CANONICAL_DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/

/**
 * A room id from a JSON number or a string of digits, in canonical decimal: never rounded into another room (SPEC G7.5).
 * @throws ChatError INVALID_MESSAGE_FORMAT
 */
export function parseRoomId(value: unknown): RoomId {
  const number = typeof value === 'string' && CANONICAL_DECIMAL.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 && !Object.is(number, -0)) {
    return number as RoomId
  }
  throw new ChatError(
    'INVALID_MESSAGE_FORMAT',
    'roomId must be an integer from 0 to 9007199254740991 in plain decimal',
    {
      details: { field: 'roomId' },
    },
  )
}
