import type { StompVersion } from './frame.ts'
import type { HeartBeat } from './heart-beat.ts'

/** Where a session stands; each state holds only what exists in it. Times are milliseconds of the caller's clock. */
export type StompSessionState =
  | { readonly phase: 'awaiting-connect'; readonly sinceMs: number }
  | {
      readonly phase: 'authenticating'
      readonly sinceMs: number
      readonly version: StompVersion
      readonly heartBeat: HeartBeat
    }
  | { readonly phase: 'connected'; readonly version: StompVersion; readonly heartBeat: HeartBeat }
  /** DISCONNECT came; its answer waits for the pending requests. */
  | { readonly phase: 'closing'; readonly version: StompVersion; readonly receipt: string | undefined }
  | { readonly phase: 'closed' }

export const CLOSED: StompSessionState = { phase: 'closed' }
