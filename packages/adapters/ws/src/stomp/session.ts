import {
  checkAcknowledgement,
  isFault,
  readConnect,
  readSubscribe,
  readTransactionId,
  requiredHeader,
} from './client-frame.ts'
import { encodeFrame, HEART_BEAT, type StompHeader } from './encoder.ts'
import type { StompFault, StompFaultKind, StompFrame, StompVersion } from './frame.ts'
import { HeartBeatWatch } from './heart-beat.ts'
import { StompParser } from './parser.ts'
import { NO_TRANSACTION, REPLACED, unknownCommand, VERSION_HEADERS } from './session-faults.ts'
import type {
  StompErrorAnswer,
  StompHandler,
  StompRequest,
  StompSink,
  StompSubscription,
} from './session-handler.ts'
import type { StompSessionOptions } from './session-options.ts'
import { CLOSED, type StompSessionState } from './session-state.ts'
import { Subscriptions } from './subscriptions.ts'
import { Transactions } from './transactions.ts'

/** RFC 6455, 7.4.1. */
const CLOSE_NORMAL = 1000

/**
 * The server's side of one STOMP session, without I/O: bytes and time come in by calls, text leaves through a sink, what
 * the frames mean is the handler's. Not a single call throws for what a peer sent.
 */
export class StompSession<S extends StompSubscription> {
  readonly #options: StompSessionOptions
  readonly #sink: StompSink
  readonly #handler: StompHandler<S>
  readonly #parser: StompParser
  #state: StompSessionState
  #subscriptions: Subscriptions<S> | undefined
  #transactions: Transactions | undefined
  /** The frame that an `admit` wants to look at for longer. */
  #held: StompRequest | undefined
  #pending = 0
  #reading = false
  readonly #watch: HeartBeatWatch

  constructor(options: StompSessionOptions, sink: StompSink, handler: StompHandler<S>, nowMs: number) {
    this.#options = options
    this.#sink = sink
    this.#handler = handler
    this.#parser = new StompParser(options)
    this.#state = { phase: 'awaiting-connect', sinceMs: nowMs }
    this.#watch = new HeartBeatWatch(nowMs)
  }

  get state(): StompSessionState {
    return this.#state
  }

  /** The agreed version; 1.2 before there is one. */
  get version(): StompVersion {
    return 'version' in this.#state ? this.#state.version : '1.2'
  }

  /** Requests whose answers are still to come. */
  get pendingRequests(): number {
    return this.#pending
  }

  get subscriptionCount(): number {
    return this.#subscriptions?.size ?? 0
  }

  subscriptions(): Iterable<S> {
    return this.#subscriptions?.values() ?? []
  }

  /** Takes one message of the transport: part of a frame, one, or many. */
  receive(data: string | Uint8Array, nowMs: number): void {
    this.#watch.heard(nowMs)
    if (this.#state.phase === 'closed' || this.#state.phase === 'closing') return
    this.#parser.push(data)
    this.#read()
    if (this.#isWaiting() && this.#parser.heldBytes > this.#maxHeldBytes()) {
      this.#fault('too-many-pending', 'Too much was sent ahead of answers that are still to come.')
    }
    this.#parser.retain()
  }

  /** One sweep over all sessions calls this every `tickMs`. */
  tick(nowMs: number): void {
    const state = this.#state
    switch (state.phase) {
      case 'awaiting-connect':
      case 'authenticating':
        if (nowMs - state.sinceMs >= this.#options.connectTimeoutMs) {
          this.#fault('connect-timeout', 'No CONNECT was completed in time.')
        }
        return
      case 'connected':
        this.#beat(this.#watch.tick(nowMs, state.heartBeat, this.#options))
        return
      case 'closing':
      case 'closed':
        return
      default:
        state satisfies never
    }
  }

  /** Answers CONNECT with CONNECTED and reads on. Does nothing if the session ended meanwhile. */
  accept(headers: readonly StompHeader[] = []): void {
    if (this.#state.phase !== 'authenticating') return
    const { version, heartBeat } = this.#state
    this.#parser.version = version
    this.#state = { phase: 'connected', version, heartBeat }
    const { sendMs, receiveMs } = this.#options.heartBeat
    const agreed: StompHeader[] = [
      ['version', version],
      ['heart-beat', `${sendMs},${receiveMs}`],
    ]
    this.write(encodeFrame(version, 'CONNECTED', [...agreed, ...headers]))
    this.#read()
  }

  /** The decision on a frame whose `admit` said `later`; false: it was refused, and answered. */
  proceed(admitted: boolean): void {
    const request = this.#held
    if (request === undefined) return
    this.#held = undefined
    if (admitted && this.#state.phase === 'connected') {
      this.#reading = true
      this.#dispatch(request)
      this.#reading = false
    }
    this.#read()
  }

  /** A request is done: RECEIPT, if it asked for one. */
  complete(request: StompRequest, headers: readonly StompHeader[] = []): void {
    this.#receipt(request.receipt, headers)
    this.settle()
  }

  /** A request was answered in another way than by RECEIPT. */
  settle(): void {
    this.#pending -= 1
    if (this.#pending === 0 && this.#state.phase === 'closing') this.#finish(this.#state.receipt)
    else this.#read()
  }

  /** ERROR, then the end. */
  fail(answer: StompErrorAnswer, receipt?: string): void {
    if (this.#state.phase === 'closed') return
    const headers: StompHeader[] = [['message', answer.message]]
    if (receipt !== undefined) headers.push(['receipt-id', receipt])
    if (answer.headers !== undefined) headers.push(...answer.headers)
    if (answer.body !== '') headers.push(['content-type', answer.contentType])
    this.write(encodeFrame(this.version, 'ERROR', headers, answer.body))
    this.#close()
    this.#sink.close(answer.closeCode, answer.closeReason)
  }

  /** The connection is gone, or is being closed by its owner. Idempotent. */
  end(): void {
    this.#close()
  }

  /** Everything that leaves goes this way, so that heart-beats fill only the silence. */
  write(text: string): void {
    this.#watch.wrote()
    this.#sink.write(text)
  }

  /** The handler wrote past `write`. */
  wrote(): void {
    this.#watch.wrote()
  }

  #beat(due: 'dead' | 'beat' | 'rest'): void {
    if (due === 'beat') this.#sink.write(HEART_BEAT)
    else if (due === 'dead') this.#fault('heart-beat-timeout', 'Nothing was heard for too long.')
  }

  /** The frames behind this point must wait. */
  #isWaiting(): boolean {
    return (
      this.#state.phase === 'authenticating' ||
      this.#held !== undefined ||
      this.#pending >= this.#options.maxPendingRequests
    )
  }

  /** Who is not known yet may make the server hold one frame's worth. */
  #maxHeldBytes(): number {
    const { maxFrameBytes, maxHeldBytes } = this.#options
    return this.#state.phase === 'authenticating' ? maxFrameBytes : maxHeldBytes
  }

  #read(): void {
    // A handler may answer at once, from inside of this loop.
    if (this.#reading) return
    this.#reading = true
    while (this.#state.phase !== 'closed' && this.#state.phase !== 'closing' && !this.#isWaiting()) {
      const parsed = this.#parser.next()
      if (parsed === undefined) break
      if (parsed.type === 'frame') this.#frame(parsed.frame)
      else if (parsed.type === 'fault') this.#fail(parsed.fault)
    }
    this.#reading = false
  }

  #frame(frame: StompFrame): void {
    const connecting = frame.command === 'CONNECT' || frame.command === 'STOMP'
    if (this.#state.phase === 'awaiting-connect') {
      if (connecting) this.#connect(frame.headers, this.#state.sinceMs)
      else this.#fault('wrong-order', 'The first frame must be CONNECT.', frame.headers.get('receipt'))
      return
    }
    const receipt = frame.headers.get('receipt')
    if (connecting) {
      this.#fault('wrong-order', 'The session is connected already.', receipt)
      return
    }
    const request: StompRequest = receipt === undefined ? frame : { ...frame, receipt }
    switch (this.#handler.admit(request)) {
      case 'process':
        this.#dispatch(request)
        return
      case 'later':
        this.#held = request
        return
      case 'answered':
        return
    }
  }

  #connect(headers: ReadonlyMap<string, string>, sinceMs: number): void {
    const connect = readConnect(headers, this.#options.heartBeat)
    if (isFault(connect)) {
      this.#fail(connect)
      return
    }
    this.#state = { phase: 'authenticating', sinceMs, ...connect }
    this.#handler.connect(headers)
  }

  #dispatch(request: StompRequest): void {
    const fault = this.#perform(request)
    if (fault !== undefined) this.#fail(fault, request.receipt)
  }

  #perform(request: StompRequest): StompFault | undefined {
    switch (request.command) {
      case 'SEND':
        return this.#send(request)
      case 'SUBSCRIBE':
        return this.#subscribe(request)
      case 'UNSUBSCRIBE':
        return this.#unsubscribe(request)
      case 'BEGIN':
      case 'ABORT':
      case 'COMMIT':
        return this.#transaction(request)
      case 'ACK':
        return this.#acknowledge(request)
      case 'NACK':
        return this.version === '1.0' ? unknownCommand(this.version) : this.#acknowledge(request)
      case 'DISCONNECT':
        return this.#disconnect(request)
      default:
        return unknownCommand(this.version)
    }
  }

  #send(request: StompRequest): StompFault | undefined {
    const destination = requiredHeader(request, 'destination')
    if (isFault(destination)) return destination
    const transaction = request.headers.get('transaction')
    if (transaction !== undefined) {
      return this.#transactions?.has(transaction)
        ? this.#transactions.hold(transaction, request)
        : NO_TRANSACTION
    }
    this.#pending += 1
    this.#handler.send(request, destination)
    return undefined
  }

  #subscribe(request: StompRequest): StompFault | undefined {
    const subscribe = readSubscribe(request, this.version, this.#options.maxIdLength)
    if (isFault(subscribe)) return subscribe
    const { id, destination } = subscribe
    this.#subscriptions ??= new Subscriptions()
    const before = this.#subscriptions.find(id, destination)
    if (before !== undefined) {
      if (!this.#options.lenientSubscriptions && before.isOver !== true) {
        return { kind: 'duplicate-id', detail: 'A subscription with this id exists already.' }
      }
      this.#unsubscribeFrom(REPLACED, id, destination)
    }
    this.#pending += 1
    const subscription = this.#handler.subscribe(subscribe)
    if (subscription !== undefined) this.#subscriptions?.add(id, subscription)
    return undefined
  }

  #unsubscribe(request: StompRequest): StompFault | undefined {
    const id = request.headers.get('id')
    const destination = request.headers.get('destination')
    if (id === undefined && (this.version !== '1.0' || destination === undefined)) {
      return { kind: 'missing-header', detail: 'The header id is required.' }
    }
    if (this.#unsubscribeFrom(request, id, destination ?? '')) return undefined
    if (!this.#options.lenientSubscriptions) {
      return { kind: 'unknown-id', detail: 'There is no such subscription.' }
    }
    this.#receipt(request.receipt)
    return undefined
  }

  #unsubscribeFrom(request: StompRequest, id: string | undefined, destination: string): boolean {
    const subscription = this.#subscriptions?.remove(id, destination)
    if (subscription === undefined) return false
    this.#pending += 1
    this.#handler.unsubscribe(request, subscription)
    return true
  }

  #transaction(request: StompRequest): StompFault | undefined {
    const id = readTransactionId(request, this.#options.maxIdLength)
    if (isFault(id)) return id
    if (request.command === 'BEGIN') {
      this.#transactions ??= new Transactions(this.#options)
      const fault = this.#transactions.begin(id)
      if (fault === undefined) this.#receipt(request.receipt)
      return fault
    }
    const sends = this.#transactions?.take(id) ?? NO_TRANSACTION
    if (this.#transactions?.count === 0) this.#transactions = undefined
    if (isFault(sends)) return sends
    if (request.command === 'ABORT') {
      this.#receipt(request.receipt)
    } else {
      this.#pending += 1 + sends.length
      this.#handler.commit(request, sends)
    }
    return undefined
  }

  /** Nothing is redelivered, so that an ACK or NACK has nothing to change: it is checked and answered. */
  #acknowledge(request: StompRequest): StompFault | undefined {
    const fault = checkAcknowledgement(request, this.version)
    if (fault !== undefined) return fault
    const transaction = request.headers.get('transaction')
    if (transaction !== undefined && !this.#transactions?.has(transaction)) return NO_TRANSACTION
    this.#receipt(request.receipt)
    return undefined
  }

  #disconnect(request: StompRequest): undefined {
    this.#parser.stop()
    this.#transactions = undefined
    if (this.#pending === 0) this.#finish(request.receipt)
    else this.#state = { phase: 'closing', version: this.version, receipt: request.receipt }
  }

  #finish(receipt: string | undefined): void {
    this.#receipt(receipt)
    this.#close()
    this.#sink.close(CLOSE_NORMAL, '')
  }

  #receipt(receipt: string | undefined, headers: readonly StompHeader[] = []): void {
    if (receipt === undefined || this.#state.phase === 'closed') return
    this.write(encodeFrame(this.version, 'RECEIPT', [['receipt-id', receipt], ...headers]))
  }

  #fault(kind: StompFaultKind, detail: string, receipt?: string): void {
    this.#fail({ kind, detail }, receipt)
  }

  #fail(fault: StompFault, receipt = fault.receipt): void {
    const answer = this.#handler.describe(fault)
    const headers = fault.kind === 'unsupported-version' ? VERSION_HEADERS : []
    this.fail({ ...answer, headers: [...headers, ...(answer.headers ?? [])] }, receipt)
  }

  #close(): void {
    if (this.#state.phase === 'closed') return
    this.#state = CLOSED
    this.#parser.stop()
    this.#held = undefined
    this.#transactions = undefined
    this.#handler.sessionEnded()
    this.#subscriptions = undefined
  }
}
