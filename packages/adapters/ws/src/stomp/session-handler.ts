import type { StompHeader } from './encoder.ts'
import type { StompFault } from './frame.ts'

/** A client's frame on its way through the handler. */
export interface StompRequest {
  readonly command: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** The header `receipt`, when the client asks for one. */
  readonly receipt?: string
}

export type AckMode = 'auto' | 'client' | 'client-individual'

export interface SubscribeRequest extends StompRequest {
  /** Absent only in 1.0. */
  readonly id?: string
  readonly destination: string
  readonly ack: AckMode
}

/** What the session keeps of a subscription: whatever the handler made of it. */
export interface StompSubscription {
  readonly destination: string
  /** The server ended it: its id may be used again, and an UNSUBSCRIBE of it is no fault. */
  readonly isOver?: boolean
}

/** How an ERROR frame is filled and the connection closed. */
export interface StompErrorAnswer {
  /** Short text for the header `message`. */
  readonly message: string
  readonly headers?: readonly StompHeader[]
  readonly contentType: string
  readonly body: string
  readonly closeCode: number
  readonly closeReason: string
}

/** What becomes of a frame before it is processed: `later` waits for `session.proceed`. */
export type Admission = 'process' | 'answered' | 'later'

/** Where a session's bytes go. */
export interface StompSink {
  /** One encoded frame or heart-beat. */
  write(text: string): void
  /** After everything written before. */
  close(code: number, reason: string): void
}

/**
 * What a server does with the frames of one session, called in the order of the frames.
 *
 * `connect` is answered by `session.accept` or `session.fail`; each `send` and `commit` by exactly one of
 * `session.complete`, `session.settle` and `session.fail`, now or later; `subscribe` and `unsubscribe` likewise.
 * DISCONNECT's RECEIPT waits for all of them.
 */
export interface StompHandler<S extends StompSubscription> {
  connect(headers: ReadonlyMap<string, string>): void
  /** Called for every frame after CONNECTED, DISCONNECT included. `answered`: it counts as done. */
  admit(request: StompRequest): Admission
  send(request: StompRequest, destination: string): void
  /** A transaction's SENDs, in order. Each of them and the COMMIT want their answer. */
  commit(commit: StompRequest, sends: readonly StompRequest[]): void
  /** The subscription to keep; undefined: refused, and answered. */
  subscribe(request: SubscribeRequest): S | undefined
  unsubscribe(request: StompRequest, subscription: S): void
  describe(fault: StompFault): StompErrorAnswer
  /** After DISCONNECT was answered, an ERROR, or the end of the connection: exactly once. Nothing may be delivered afterwards. */
  sessionEnded(): void
}
