import type { Counter, ErrorCode, Meter } from '@sgs-chat/core'
import {
  CLOSE_ABNORMAL,
  CLOSE_DRAINING,
  CLOSE_FORBIDDEN,
  CLOSE_INTERNAL,
  CLOSE_LIMITS,
  CLOSE_NORMAL,
  CLOSE_PROTOCOL,
  CLOSE_RESUME,
  CLOSE_SLOW,
  CLOSE_TOKEN,
  CLOSE_TOO_BIG,
} from '../close-codes.ts'
import type { ConnectionEnd, TransportName } from '../connection.ts'

/** Why a connection ended, as a label: a client may invent close codes, so the others are one. */
const END_REASONS: Readonly<Record<number, string>> = {
  [CLOSE_NORMAL]: 'client',
  1001: 'client',
  [CLOSE_PROTOCOL]: 'protocol',
  [CLOSE_ABNORMAL]: 'lost',
  [CLOSE_TOO_BIG]: 'too-large',
  [CLOSE_INTERNAL]: 'server-error',
  [CLOSE_TOKEN]: 'token',
  [CLOSE_FORBIDDEN]: 'forbidden',
  [CLOSE_SLOW]: 'slow',
  [CLOSE_RESUME]: 'resume',
  [CLOSE_DRAINING]: 'draining',
  [CLOSE_LIMITS]: 'limits',
}

/** Of every STOMP version; a client may invent others. */
const COMMANDS = [
  'SEND',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'BEGIN',
  'COMMIT',
  'ABORT',
  'ACK',
  'NACK',
  'DISCONNECT',
] as const

/** What an endpoint counts of its clients. */
export class EndpointMetrics {
  readonly #open = new Map<TransportName, number>()
  readonly #opened: Counter
  readonly #closed: Counter
  readonly #errors: Counter
  readonly #frames: ReadonlyMap<string, Counter>

  constructor(meter: Meter) {
    meter.observe({
      name: 'chat_connections',
      help: 'Clients that are connected, by what carries them.',
      kind: 'gauge',
      labels: ['transport'],
      read: () => [...this.#open].map(([transport, value]) => ({ labels: { transport }, value })),
    })
    this.#opened = meter.counter('chat_connections_opened_total', 'Clients that came.', ['transport'])
    this.#closed = meter.counter('chat_connections_closed_total', 'Clients that went, by why.', ['reason'])
    this.#errors = meter.counter('chat_stomp_errors_total', 'Failures told to STOMP clients, by code.', [
      'code',
    ])
    const frames = meter.counter('chat_stomp_frames_total', 'STOMP frames of clients after CONNECTED.', [
      'command',
    ])
    this.#frames = new Map(COMMANDS.map(command => [command, frames.with({ command })]))
  }

  opened(transport: TransportName): void {
    this.#open.set(transport, (this.#open.get(transport) ?? 0) + 1)
    this.#opened.with({ transport }).add(1)
  }

  ended(transport: TransportName, { code }: ConnectionEnd): void {
    this.#open.set(transport, (this.#open.get(transport) ?? 1) - 1)
    this.#closed.with({ reason: END_REASONS[code] ?? 'other' }).add(1)
  }

  frame(command: string): void {
    this.#frames.get(command)?.add(1)
  }

  failed(code: ErrorCode): void {
    this.#errors.with({ code }).add(1)
  }
}
