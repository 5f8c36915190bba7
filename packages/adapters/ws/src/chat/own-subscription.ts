import { subscriptionLines } from '../stomp/encoder.ts'
import type { StompVersion } from '../stomp/frame.ts'
import type { SubscribeRequest } from '../stomp/session-handler.ts'
import type { SubscriptionFraming } from './chat-frames.ts'

export const ERRORS_DESTINATION = '/user/queue/errors'
export const RESULTS_DESTINATION = '/topic/group'
export type OwnDestination = typeof ERRORS_DESTINATION | typeof RESULTS_DESTINATION

/** A SUBSCRIBE of what concerns only the session itself: its errors, or the results of its SENDs. */
export class OwnSubscription implements SubscriptionFraming {
  readonly kind = 'own'
  readonly destination: OwnDestination
  readonly version: StompVersion
  readonly lines: string
  readonly ackPrefix: string | undefined

  constructor(destination: OwnDestination, version: StompVersion, request: SubscribeRequest) {
    this.destination = destination
    this.version = version
    this.lines = subscriptionLines(version, request.id)
    this.ackPrefix = version === '1.2' && request.ack !== 'auto' ? (request.id ?? '') : undefined
  }

  close(): void {}
}

export function isOwnDestination(destination: string): destination is OwnDestination {
  return destination === ERRORS_DESTINATION || destination === RESULTS_DESTINATION
}
