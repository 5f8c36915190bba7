import { backoffMs } from './backoff.ts'
import { ClientError, type Outcome } from './client-error.ts'
import { closed } from './lasting-connection.ts'
import type { ClientSettings } from './options.ts'
import type { Position } from './position.ts'
import type { FrameHeaders, StompConnection } from './stomp-connection.ts'

export interface Draft {
  /** `TEXT`, or a type of the app's own. @default TEXT */
  readonly messageType?: string
  readonly content: string
  /**
   * The app's own name for this send: the same name again is the same chat (SPEC G3.3), so a send whose outcome is
   * unknown may be made again with it. @default a random one
   */
  readonly clientMessageId?: string
  /** This repeats a send of before (another page's life, say) whose outcome is unknown. @default false */
  readonly retry?: boolean
}

/** An acknowledged send: the log has the chat. */
export interface Sent {
  /** The chat's identity, as in the `chat` event that brings it. */
  readonly id: string
  /** Serves as `min` of a history read. */
  readonly position: Position
  readonly clientMessageId: string
}

interface Entry {
  readonly roomId: number
  readonly messageType: string
  readonly content: string
  readonly clientMessageId: string
  readonly bytes: number
  readonly resolve: (sent: Sent) => void
  readonly reject: (error: ClientError) => void
  readonly cancelTimeout: () => void
  state: 'queued' | 'in-flight' | 'over'
  /** A try before may have been stored: the next one asks the server to look it up. */
  mayBeStored: boolean
  failures: number
}

/** The sends of one room, in order. */
interface Lane {
  readonly entries: Entry[]
  /** The lane waits before it tries again what failed; this ends the wait. */
  cancelWait: (() => void) | undefined
}

/** What was asked to be sent and is not acknowledged: bounded, in order for each room, kept over connections. */
export class Outbox {
  readonly #settings: ClientSettings
  readonly #connection: () => StompConnection | undefined
  readonly #lanes = new Map<number, Lane>()
  #messages = 0
  #bytes = 0
  #isSealed = false
  #drained: (() => void)[] = []

  constructor(settings: ClientSettings, connection: () => StompConnection | undefined) {
    this.#settings = settings
    this.#connection = connection
  }

  /** Chats that wait for their acknowledgement. */
  get messages(): number {
    return this.#messages
  }

  send(roomId: number, draft: Draft): Promise<Sent> {
    const { content, messageType = 'TEXT', clientMessageId = randomName(), retry = false } = draft
    return new Promise((resolve, reject) => {
      const bytes = utf8Bytes(content)
      const refused = this.#refusal(bytes)
      if (refused !== undefined) {
        reject(refused)
        return
      }
      const entry: Entry = {
        roomId,
        messageType,
        content,
        clientMessageId,
        bytes,
        resolve,
        reject,
        cancelTimeout: this.#settings.clock.after(this.#settings.sendTimeoutMs, () => {
          this.#fail(entry, 'TIMED_OUT', 'the chat was not acknowledged in time')
        }),
        state: 'queued',
        mayBeStored: retry,
        failures: 0,
      }
      const lane = this.#lanes.get(roomId) ?? { entries: [], cancelWait: undefined }
      this.#lanes.set(roomId, lane)
      lane.entries.push(entry)
      this.#messages += 1
      this.#bytes += bytes
      this.#pump(lane)
    })
  }

  /** A connection stands: everything that is not acknowledged goes out again, in order. */
  resume(): void {
    for (const lane of this.#lanes.values()) this.#pump(lane)
  }

  /** Takes nothing more. Resolves when all that was taken has its answer. */
  seal(): Promise<void> {
    this.#isSealed = true
    return new Promise(resolve => {
      if (this.#messages === 0) resolve()
      else this.#drained.push(resolve)
    })
  }

  rejectAll(): void {
    for (const lane of Array.from(this.#lanes.values())) {
      lane.cancelWait?.()
      for (const entry of lane.entries.slice()) this.#fail(entry, 'CLOSED', 'the client was closed')
    }
  }

  #refusal(bytes: number): ClientError | undefined {
    const { maxOutboxBytes, maxOutboxMessages, maxContentBytes } = this.#settings
    if (this.#isSealed) return closed()
    if (bytes > maxContentBytes) return new ClientError('INVALID', `content is over ${maxContentBytes} bytes`)
    if (this.#messages < maxOutboxMessages && this.#bytes + bytes <= maxOutboxBytes) return undefined
    const full = `the outbox is full: ${this.#messages} chats, ${this.#bytes} bytes`
    return new ClientError('OUTBOX_FULL', full, { retryable: true })
  }

  #pump(lane: Lane): void {
    const connection = this.#connection()
    if (connection === undefined || lane.cancelWait !== undefined) return
    let free = this.#settings.maxInFlight - lane.entries.filter(({ state }) => state === 'in-flight').length
    for (const entry of lane.entries.filter(({ state }) => state === 'queued')) {
      if (free <= 0 || lane.cancelWait !== undefined) return
      free -= 1
      this.#transmit(connection, lane, entry)
    }
  }

  #transmit(connection: StompConnection, lane: Lane, entry: Entry): void {
    const { roomId, messageType, content, clientMessageId, mayBeStored } = entry
    entry.state = 'in-flight'
    const body = { roomId, messageType, content, clientMessageId, ...(mayBeStored ? { retry: true } : {}) }
    connection.send(body, {
      done: headers => this.#done(entry, headers),
      failed: error => this.#failed(lane, entry, error),
    })
  }

  #done(entry: Entry, headers: FrameHeaders): void {
    const { 'message-id': id = '', position = '' } = headers
    if (!this.#remove(entry)) return
    entry.resolve({ id, position, clientMessageId: entry.clientMessageId })
  }

  #failed(lane: Lane, entry: Entry, error: ClientError): void {
    if (entry.state === 'over') return
    entry.state = 'queued'
    entry.mayBeStored ||= error.outcome === 'unknown'
    // The next connection sends it again.
    if (error.code === 'CONNECTION_LOST') return
    if (!error.retryable && error.code !== 'CHAT-032') {
      this.#fail(entry, error.code, error.description, error)
      return
    }
    lane.cancelWait?.()
    lane.cancelWait = this.#settings.clock.after(backoffMs(entry.failures, this.#settings), () => {
      lane.cancelWait = undefined
      this.#pump(lane)
    })
    entry.failures += 1
  }

  #fail(entry: Entry, code: ClientError['code'], description: string, cause?: ClientError): void {
    const outcome: Outcome = entry.mayBeStored || entry.state === 'in-flight' ? 'unknown' : 'rejected'
    const retryable = code === 'TIMED_OUT'
    if (this.#remove(entry)) entry.reject(new ClientError(code, description, { outcome, retryable, cause }))
  }

  /** False: it was answered before. */
  #remove(entry: Entry): boolean {
    const lane = this.#lanes.get(entry.roomId)
    if (entry.state === 'over' || lane === undefined) return false
    entry.state = 'over'
    entry.cancelTimeout()
    lane.entries.splice(lane.entries.indexOf(entry), 1)
    this.#messages -= 1
    this.#bytes -= entry.bytes
    if (lane.entries.length === 0) {
      lane.cancelWait?.()
      this.#lanes.delete(entry.roomId)
    } else this.#pump(lane)
    if (this.#messages === 0) for (const drained of this.#drained.splice(0)) drained()
    return true
  }
}

const encoder = new TextEncoder()

function utf8Bytes(text: string): number {
  return encoder.encode(text).length
}

const NAME_BYTES = 16

/** `crypto.randomUUID` is there on secure origins only. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(NAME_BYTES))
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}
