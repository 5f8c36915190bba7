/**
 * A choice of WebSocket sub-protocol for `selectSubprotocol`: the first of `preferred` that the client offers.
 *
 * The order is the server's, as in `['v12.stomp', 'v11.stomp', 'v10.stomp']`; the client's order does not matter.
 */
export function preferSubprotocol(
  preferred: readonly string[],
): (offered: readonly string[]) => string | undefined {
  return offered => preferred.find(name => offered.includes(name))
}
