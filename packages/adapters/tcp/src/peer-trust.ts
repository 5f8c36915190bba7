import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether an address is of this machine, as `socket.remoteAddress` writes it. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false
  return address === '::1' || /^(?:::ffff:)?127\./.test(address)
}

/** In a time that does not tell how much of it was right. */
export function isSameToken(token: string, shown: string): boolean {
  return timingSafeEqual(sha256(token), sha256(shown))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
