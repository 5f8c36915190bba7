import type { IncomingMessage } from 'node:http'
import type { Sweepable } from '../sweeper.ts'
import type { TransportContext } from '../transport-context.ts'

/** What reading a body came to; only `aborted` has nobody left to tell. */
export type RequestBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' | 'too-slow' | 'too-many' | 'aborted' }

/**
 * Reads a POST body within its limits: its own bytes, the bytes of all bodies under way, its time.
 *
 * `done` is called once. After anything but `whole` the rest of the body is not read.
 */
export function readBody(
  context: TransportContext,
  request: IncomingMessage,
  done: (body: RequestBody) => void,
): void {
  const announcedBytes = Number(request.headers['content-length'] ?? 0)
  if (announcedBytes > context.settings.maxBodyBytes) {
    done({ kind: 'too-large' })
    return
  }
  new BodyReader(context, request, done).start()
}

const NOTHING = Buffer.alloc(0)

class BodyReader implements Sweepable {
  readonly #context: TransportContext
  readonly #request: IncomingMessage
  readonly #done: (body: RequestBody) => void
  readonly #startedMs: number
  /** Grows by doubling: a body in a million pieces costs no more than one in few. */
  #buffer: Buffer = NOTHING
  #bytes = 0
  #isOver = false

  constructor(context: TransportContext, request: IncomingMessage, done: (body: RequestBody) => void) {
    this.#context = context
    this.#request = request
    this.#done = done
    this.#startedMs = context.settings.ticks.nowMs()
  }

  start(): void {
    this.#context.sweeper.add(this)
    this.#request.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#request.on('end', () =>
      this.#finish({ kind: 'whole', bytes: this.#buffer.subarray(0, this.#bytes) }),
    )
    this.#request.on('error', () => this.#finish({ kind: 'aborted' }))
    this.#request.on('close', () => this.#finish({ kind: 'aborted' }))
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return
    const start = this.#bytes
    this.#bytes += chunk.length
    this.#context.pendingBodyBytes += chunk.length
    if (this.#bytes > this.#context.settings.maxBodyBytes) {
      this.#finish({ kind: 'too-large' })
    } else if (this.#context.pendingBodyBytes > this.#context.settings.maxPendingBodyBytes) {
      this.#finish({ kind: 'too-many' })
    } else {
      this.#reserve(this.#bytes)
      this.#buffer.set(chunk, start)
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(
      Math.min(this.#context.settings.maxBodyBytes, Math.max(bytes, this.#buffer.length * 2)),
    )
    grown.set(this.#buffer)
    this.#buffer = grown
  }

  #finish(body: RequestBody): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#context.sweeper.delete(this)
    this.#context.pendingBodyBytes -= this.#bytes
    this.#buffer = NOTHING
    if (body.kind !== 'whole') this.#request.pause()
    this.#done(body)
  }

  sweep(nowMs: number): void {
    if (nowMs - this.#startedMs >= this.#context.settings.receiveTimeoutMs) this.#finish({ kind: 'too-slow' })
  }
}
