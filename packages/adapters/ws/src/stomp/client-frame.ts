import { STOMP_VERSIONS, type StompFault, type StompVersion } from './frame.ts'
import { agreeHeartBeat, type HeartBeat, type HeartBeatSettings } from './heart-beat.ts'
import type { AckMode, StompRequest, SubscribeRequest } from './session-handler.ts'

/** A required header, or what is wrong with it. An empty one counts as missing. */
export function requiredHeader(request: StompRequest, name: string): string | StompFault {
  const value = request.headers.get(name)
  return value === undefined || value === '' ? missing(request, name) : value
}

export function isFault(value: unknown): value is StompFault {
  return typeof value === 'object' && value !== null && 'kind' in value && 'detail' in value
}

/** Lowest first, as an ERROR about versions names them. */
export const SUPPORTED_VERSIONS: readonly StompVersion[] = STOMP_VERSIONS.toReversed()

/** What CONNECT settles: the highest version both sides speak (1.0 when the client names none), and the heart-beats. */
export function readConnect(
  headers: ReadonlyMap<string, string>,
  settings: HeartBeatSettings,
): { readonly version: StompVersion; readonly heartBeat: HeartBeat } | StompFault {
  const accepted = (headers.get('accept-version') ?? '1.0').split(',').map(version => version.trim())
  const version = STOMP_VERSIONS.find(known => accepted.includes(known))
  if (version === undefined) {
    const detail = `Supported protocol versions are ${SUPPORTED_VERSIONS.join(' ')}.`
    return { kind: 'unsupported-version', detail }
  }
  const heartBeat = agreeHeartBeat(headers.get('heart-beat'), settings)
  if (heartBeat === undefined) {
    return { kind: 'invalid-header', detail: 'The heart-beat header must be two numbers of milliseconds.' }
  }
  return { version, heartBeat }
}

/** The headers of a SUBSCRIBE: `id` is required from 1.1 on, `ack` is one of the modes. */
export function readSubscribe(
  request: StompRequest,
  version: StompVersion,
  maxIdLength: number,
): SubscribeRequest | StompFault {
  const destination = requiredHeader(request, 'destination')
  if (isFault(destination)) return destination
  const id = version === '1.0' ? request.headers.get('id') : requiredHeader(request, 'id')
  if (isFault(id)) return id
  if (id !== undefined && id.length > maxIdLength) return idTooLong(request, 'id', maxIdLength)
  const ack = ackMode(request.headers.get('ack') ?? 'auto')
  if (ack === undefined) {
    return fault(request, 'invalid-header', 'The header ack must be auto, client or client-individual.')
  }
  return { ...request, destination, ack, ...(id === undefined ? {} : { id }) }
}

function ackMode(text: string): AckMode | undefined {
  return text === 'auto' || text === 'client' || text === 'client-individual' ? text : undefined
}

/** The id of BEGIN, COMMIT and ABORT. */
export function readTransactionId(request: StompRequest, maxIdLength: number): string | StompFault {
  const id = requiredHeader(request, 'transaction')
  if (isFault(id)) return id
  return id.length > maxIdLength ? idTooLong(request, 'transaction', maxIdLength) : id
}

/** What an ACK or NACK must name: `message-id` in 1.0, and `subscription` in 1.1, `id` in 1.2. */
export function checkAcknowledgement(request: StompRequest, version: StompVersion): StompFault | undefined {
  for (const name of ACK_HEADERS[version]) {
    if (!request.headers.get(name)) return missing(request, name)
  }
  return undefined
}

const ACK_HEADERS: Readonly<Record<StompVersion, readonly string[]>> = {
  '1.0': ['message-id'],
  '1.1': ['message-id', 'subscription'],
  '1.2': ['id'],
}

function missing(request: StompRequest, name: string): StompFault {
  return fault(request, 'missing-header', `The header ${name} is required.`)
}

function idTooLong(request: StompRequest, name: string, maxIdLength: number): StompFault {
  return fault(request, 'invalid-header', `The header ${name} is longer than ${maxIdLength} characters.`)
}

function fault(request: StompRequest, kind: StompFault['kind'], detail: string): StompFault {
  return request.receipt === undefined ? { kind, detail } : { kind, detail, receipt: request.receipt }
}
