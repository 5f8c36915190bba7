import type { StompFault, StompFrame, StompVersion } from '../../src/stomp/frame.ts'
import { StompSession } from '../../src/stomp/session.ts'
import type {
  Admission,
  StompErrorAnswer,
  StompHandler,
  StompRequest,
  StompSink,
  SubscribeRequest,
} from '../../src/stomp/session-handler.ts'
import { DEFAULT_SESSION_OPTIONS, type StompSessionOptions } from '../../src/stomp/session-options.ts'
import { parseAll } from './parsing.ts'

interface Subscription {
  readonly id: string | undefined
  readonly destination: string
}

/** A session whose handler writes down what it is asked and answers when the test says so. */
export class ScriptedSession implements StompHandler<Subscription>, StompSink {
  readonly session: StompSession<Subscription>
  readonly calls: string[] = []
  readonly faults: StompFault[] = []
  /** SENDs and COMMITs without an answer. */
  readonly open: StompRequest[] = []
  admission: Admission = 'process'
  acceptsAtOnce = true
  closed: number | undefined
  #written = ''
  #nowMs = 0

  constructor(options: Partial<StompSessionOptions> = {}) {
    this.session = new StompSession({ ...DEFAULT_SESSION_OPTIONS, ...options }, this, this, 0)
  }

  /** Already CONNECTED. */
  static connected(version: StompVersion, options: Partial<StompSessionOptions> = {}): ScriptedSession {
    const scripted = new ScriptedSession(options)
    scripted.give(`CONNECT\naccept-version:${version}\n\n\0`)
    scripted.answers()
    scripted.calls.length = 0
    return scripted
  }

  give(data: string | Uint8Array): void {
    this.session.receive(data, this.#nowMs)
  }

  /** Ticks every second until `ms` have passed. */
  pass(ms: number): void {
    for (const end = this.#nowMs + ms; this.#nowMs < end; ) {
      this.#nowMs += 1_000
      this.session.tick(this.#nowMs)
    }
  }

  /** One step of the clock, as after a process that stood still. */
  leap(ms: number): void {
    this.#nowMs += ms
    this.session.tick(this.#nowMs)
  }

  complete(): void {
    const request = this.open.shift()
    if (request === undefined) throw new Error('no request is open')
    this.session.complete(request)
  }

  /** What was written since the last call, as text. */
  written(): string {
    const written = this.#written
    this.#written = ''
    return written
  }

  /** What was written since the last call, as frames: `COMMAND header=value …`. */
  answers(): string[] {
    const { frames, fault } = parseAll(this.written(), this.session.version)
    if (fault !== undefined) throw new Error(fault.detail)
    return frames.map(summary)
  }

  write(text: string): void {
    if (this.closed !== undefined) throw new Error('written after the close')
    this.#written += text
  }

  close(code: number): void {
    if (this.closed !== undefined) throw new Error('closed twice')
    this.closed = code
  }

  connect(headers: ReadonlyMap<string, string>): void {
    this.calls.push(`connect ${headers.get('login') ?? ''}`.trim())
    if (this.acceptsAtOnce) this.session.accept()
  }

  admit(request: StompRequest): Admission {
    if (this.admission !== 'process') this.calls.push(`admit ${request.command}`)
    return this.admission
  }

  send(request: StompRequest, destination: string): void {
    this.calls.push(`send ${destination} ${new TextDecoder().decode(request.body)}`)
    this.open.push(request)
  }

  commit(commit: StompRequest, sends: readonly StompRequest[]): void {
    this.calls.push(`commit ${sends.map(send => new TextDecoder().decode(send.body)).join(',')}`)
    this.open.push(...sends, commit)
  }

  subscribe(request: SubscribeRequest): Subscription | undefined {
    this.calls.push(`subscribe ${request.id ?? '-'} ${request.destination} ${request.ack}`)
    if (request.destination === '/refused') {
      this.session.settle()
      return undefined
    }
    this.session.complete(request)
    return { id: request.id, destination: request.destination }
  }

  unsubscribe(request: StompRequest, subscription: Subscription): void {
    this.calls.push(`unsubscribe ${subscription.id ?? '-'} ${subscription.destination}`)
    this.session.complete(request)
  }

  describe(fault: StompFault): StompErrorAnswer {
    this.faults.push(fault)
    return {
      message: fault.kind,
      contentType: 'text/plain',
      body: fault.detail,
      closeCode: 1002,
      closeReason: fault.kind,
    }
  }

  sessionEnded(): void {
    this.calls.push('ended')
  }
}

function summary(frame: StompFrame): string {
  const headers = [...frame.headers].filter(([name]) => !name.startsWith('content-'))
  return [frame.command, ...headers.map(([name, value]) => `${name}=${value}`)].join(' ')
}
