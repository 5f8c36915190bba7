import { type CallOptions, ChatError } from '@sgs-chat/core'

/** What a test may do to a memory adapter that would happen to a real one by itself. */
export interface MemoryFaults {
  /** From now on every call rejects with UNAVAILABLE, as if the server behind it were away; nothing is lost. */
  disconnect(): void
  reconnect(): void
}

/** Stands before every method: closed, out of reach, or already aborted. */
export class MemoryGate {
  private readonly name: string
  private closed = false
  private connected = true

  constructor(name: string) {
    this.name = name
  }

  get isClosed(): boolean {
    return this.closed
  }

  /** @throws ChatError UNAVAILABLE; or the signal's reason. */
  pass(options: CallOptions = {}): void {
    if (this.closed) throw this.unavailable('is closed', false)
    if (options.signal?.aborted === true) throw options.signal.reason
    if (!this.connected) throw this.unavailable('is disconnected', true)
  }

  connect(connected: boolean): void {
    this.connected = connected
  }

  close(): void {
    this.closed = true
  }

  private unavailable(what: string, retryable: boolean): ChatError {
    return new ChatError('UNAVAILABLE', `the memory ${this.name} ${what}`, {
      details: { waitsFor: this.name },
      retryable,
    })
  }
}
