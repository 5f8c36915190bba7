import { SUPPORTED_VERSIONS } from './client-frame.ts'
import type { StompHeader } from './encoder.ts'
import type { StompFault, StompVersion } from './frame.ts'
import type { StompRequest } from './session-handler.ts'

export const NO_TRANSACTION: StompFault = {
  kind: 'unknown-id',
  detail: 'There is no open transaction with this id.',
}
/** Stands for the UNSUBSCRIBE that a client left out. */
export const REPLACED: StompRequest = { command: 'UNSUBSCRIBE', headers: new Map(), body: new Uint8Array(0) }
/** What an ERROR about versions says beside its text (STOMP 1.2, "Protocol Negotiation"). */
export const VERSION_HEADERS: readonly StompHeader[] = [['version', SUPPORTED_VERSIONS.join(',')]]

export function unknownCommand(version: StompVersion): StompFault {
  return { kind: 'unknown-command', detail: `STOMP ${version} has no such command for clients.` }
}
