import type { IncomingMessage } from 'node:http'

/**
 * The address of the client, as far as the trusted proxies tell it.
 *
 * Reads `X-Forwarded-For` from its end, where the nearest proxy wrote, and stops at the first address that is not a
 * trusted proxy's: what stands before that anybody could have made up.
 */
export function remoteAddress(
  request: IncomingMessage,
  trustProxy: ((address: string) => boolean) | undefined,
): string {
  let address = plain(request.socket.remoteAddress ?? '')
  const forwarded = request.headers['x-forwarded-for']
  if (trustProxy === undefined || forwarded === undefined) return address
  const hops = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded).split(',')
  for (let index = hops.length - 1; index >= 0 && trustProxy(address); index -= 1) {
    const hop = hops[index]?.trim() ?? ''
    if (hop === '') break
    address = plain(hop)
  }
  return address
}

/** An IPv4 address that came over an IPv6 socket, as what it is; so one client has one address. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}
