import { Buffer } from 'node:buffer'
import type { StompFault } from './frame.ts'
import type { StompRequest } from './session-handler.ts'

/** Bounds of what one session may hold back in transactions. At a limit is accepted, one above ends the session. */
export interface TransactionLimits {
  /** Transactions begun and not ended. */
  readonly maxTransactions: number
  /** SENDs of one transaction. */
  readonly maxTransactionSends: number
  /** Bytes of all SENDs held by the session, bodies and a fixed cost for each. */
  readonly maxTransactionBytes: number
}

export const DEFAULT_TRANSACTION_LIMITS: TransactionLimits = {
  maxTransactions: 8,
  maxTransactionSends: 100,
  maxTransactionBytes: 1_048_576,
}

/** What a held SEND costs beside its body and its headers, in bytes. */
const SEND_COST_BYTES = 256

/** The transactions of one session: SENDs wait in them, in order, until COMMIT; ABORT and the session's end drop them. */
export class Transactions {
  readonly #limits: TransactionLimits
  readonly #open = new Map<string, StompRequest[]>()
  readonly #bytes = new Map<string, number>()
  #heldBytes = 0

  constructor(limits: TransactionLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#open.size
  }

  has(id: string): boolean {
    return this.#open.has(id)
  }

  begin(id: string): StompFault | undefined {
    if (this.#open.has(id)) {
      return { kind: 'duplicate-id', detail: 'A transaction with this id is open already.' }
    }
    if (this.#open.size >= this.#limits.maxTransactions) {
      return {
        kind: 'too-many-pending',
        detail: `More than ${this.#limits.maxTransactions} transactions are open.`,
      }
    }
    this.#open.set(id, [])
    return undefined
  }

  hold(id: string, send: StompRequest): StompFault | undefined {
    const sends = this.#open.get(id)
    if (sends === undefined) return unknownTransaction()
    const bytes = costOf(send)
    if (sends.length >= this.#limits.maxTransactionSends) {
      return {
        kind: 'too-many-pending',
        detail: `A transaction holds at most ${this.#limits.maxTransactionSends} SENDs.`,
      }
    }
    if (this.#heldBytes + bytes > this.#limits.maxTransactionBytes) {
      return {
        kind: 'too-many-pending',
        detail: `Transactions hold at most ${this.#limits.maxTransactionBytes} bytes.`,
      }
    }
    this.#heldBytes += bytes
    this.#bytes.set(id, (this.#bytes.get(id) ?? 0) + bytes)
    // A body may be a view into a whole message of the transport, which must not live as long as the transaction.
    sends.push({ ...send, body: Buffer.from(send.body) })
    return undefined
  }

  /** Ends the transaction and gives what it held, in order. */
  take(id: string): readonly StompRequest[] | StompFault {
    const sends = this.#open.get(id)
    if (sends === undefined) return unknownTransaction()
    this.#open.delete(id)
    this.#heldBytes -= this.#bytes.get(id) ?? 0
    this.#bytes.delete(id)
    return sends
  }
}

function unknownTransaction(): StompFault {
  return { kind: 'unknown-id', detail: 'There is no open transaction with this id.' }
}

function costOf(send: StompRequest): number {
  let bytes = SEND_COST_BYTES + send.body.length
  for (const [name, value] of send.headers) bytes += 2 * (name.length + value.length)
  return bytes
}
