import {
  type CallOptions,
  type LinkCounters,
  LinkTraffic,
  type OriginalPresence,
  type OriginalRequest,
  type OriginalState,
} from '@sgs-chat/core'
import { ConnectionPool } from './connection-pool.ts'
import { linkSettings, ORIGINAL_LINE_BYTES, type TcpLinkOptions } from './link-options.ts'
import { decodeOriginalState, encodeOriginalRequest } from './original-wire.ts'

export interface TcpOriginalPresence extends OriginalPresence {
  readonly counters: LinkCounters
}

/**
 * The original state server over its own wire (the contract, section 4); connects with the first request.
 * Requests reject with TCP_CONNECTION_FAILED, TCP_TIMEOUT, TOO_LARGE or UNAVAILABLE within `requestTimeoutMs`.
 */
export function tcpOriginalPresence(options: TcpLinkOptions): TcpOriginalPresence {
  const settings = linkSettings(options, ORIGINAL_LINE_BYTES)
  const traffic = new LinkTraffic()
  const pool = new ConnectionPool({ settings, traffic })
  const request = async (asked: OriginalRequest, call?: CallOptions): Promise<OriginalState | undefined> => {
    const answer = await pool.ask(encodeOriginalRequest(asked), call)
    try {
      return decodeOriginalState(answer)
    } catch (error) {
      traffic.failures += 1
      throw error
    }
  }
  const close = (): Promise<void> => pool.close()
  return { counters: traffic, request, close, [Symbol.asyncDispose]: close }
}
