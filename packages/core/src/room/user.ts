import type { RoomId } from './room.ts'

declare const userIdBrand: unique symbol
export type UserId = string & { readonly [userIdBrand]: true }

/** Who a verified token speaks for. */
export interface User {
  readonly userId: UserId
  /** Milliseconds since 1970 after which the token no longer counts; absent for a token without an end. */
  readonly expiresAtMs?: number
  /** Rooms the token's own `rooms` claim names; absent when it has none. */
  readonly rooms?: readonly RoomId[]
}

/** Marks a text that a verifier or an embedder vouches for as a user's id. */
export function userId(value: string): UserId {
  return value as UserId
}
