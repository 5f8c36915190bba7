import { createHash, timingSafeEqual } from 'node:crypto'
import type { Metadata } from '@grpc/grpc-js'
import { ChatError } from '@sgs-chat/core'
import type { GrpcServerSettings } from './grpc-server-options.ts'

/** What is known of who makes a call. */
export interface Caller {
  readonly metadata: Metadata
  /** `address:port` */
  getPeer(): string
}

/**
 * A node: by its certificate, which TLS has asked for; else by the token; else by being on this machine (SPEC G11.5).
 * @throws ChatError INVALID_TOKEN
 */
export function checkNode(caller: Caller, { token, tls }: GrpcServerSettings): void {
  if (tls?.clientCa !== undefined) return
  if (token === undefined) {
    if (isLoopback(caller.getPeer())) return
    throw new ChatError('INVALID_TOKEN', 'without a STATE_TOKEN only nodes of its own machine are served', {
      details: { reason: 'missing' },
    })
  }
  const shown = shownToken(caller.metadata)
  if (shown !== undefined && isSameToken(token, shown)) return
  throw new ChatError('INVALID_TOKEN', 'the STATE_TOKEN is not the right one', {
    details: { reason: shown === undefined ? 'missing' : 'signature' },
  })
}

/** A peer of the original's. @throws ChatError FORBIDDEN */
export function checkOriginal(caller: Caller, { original, tls }: GrpcServerSettings): void {
  if (original === 'any' || tls?.clientCa !== undefined || isLoopback(caller.getPeer())) return
  throw new ChatError('FORBIDDEN', 'calls without a token are taken from this machine only')
}

/** Whether `address:port` is of this machine. */
function isLoopback(peer: string): boolean {
  return /^\[?(?:::1|(?:::ffff:)?127\.[\d.]+)\]?:\d+$/.test(peer)
}

function shownToken(metadata: Metadata): string | undefined {
  const [header] = metadata.get('authorization')
  return typeof header === 'string' ? /^Bearer (.+)$/.exec(header)?.[1] : undefined
}

/** In a time that does not tell how much of it was right. */
function isSameToken(token: string, shown: string): boolean {
  return timingSafeEqual(sha256(token), sha256(shown))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
