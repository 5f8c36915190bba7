/**
 * Identities and the hashes they come from.
 *
 * Promises: `next` is unique and time-ordered (a UUID version 7, RFC 9562); `hash` is the same on every node for the
 * same parts, takes each part as the length of its UTF-8 in 4 bytes, big-endian, then that UTF-8 (so that `['ab','c']` and `['a','bc']` differ), and is a UUID version 8
 * made of 122 bits of SHA-256; `mac` is HMAC-SHA-256 of the parts in the same encoding, as 43 characters of base64url.
 * None of them ever has the shape of a MongoDB ObjectId (24 hex digits). `random` is unpredictable.
 */
export interface Ids {
  next(nowMs: number): string
  /** 128 unpredictable bits as 22 characters of base64url: session ids, file ids, node incarnations. */
  random(): string
  hash(parts: readonly string[]): string
  mac(secret: string, parts: readonly string[]): string
}
