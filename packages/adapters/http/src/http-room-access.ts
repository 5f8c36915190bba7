import {
  type CallOptions,
  ChatError,
  type RoomAccess,
  type RoomAction,
  type RoomId,
  type User,
} from '@sgs-chat/core'

export interface HttpRoomAccessOptions {
  /** The app's own service. */
  readonly url: string | URL
  /** `POST` sends the question as JSON `{userId, roomId, action}`, `GET` as the query's fields. @default 'POST' */
  readonly method?: 'GET' | 'POST'
  /** Sent along, such as a secret that the service knows this server by; in no error text. */
  readonly headers?: Readonly<Record<string, string>>
  /** One question, from asking to the answer's last byte, in milliseconds. @default 3000 */
  readonly timeoutMs?: number
  /** The longest answer that is read. @default 4096 */
  readonly maxBytes?: number
  /** How long an answer may be used, in milliseconds. @default 30000 */
  readonly maxAgeMs?: number
}

/**
 * Asks the app's own service who may do what (SPEC G11.2). Yes: 2xx with `{"allowed":true}` or without a body; no: 403 or
 * `{"allowed":false}`; no such room: 404, as NOT_FOUND. Everything else, a redirect and a late or unreadable answer
 * included, is UNAVAILABLE: nobody gets in. The user's token is never sent. Remembers nothing: see `cachedRoomAccess`.
 * @throws TypeError for a url that is not one
 */
export function httpRoomAccess(options: HttpRoomAccessOptions): RoomAccess {
  const { method = 'POST', headers = {}, timeoutMs = 3_000, maxBytes = 4_096, maxAgeMs = 30_000 } = options
  const url = new URL(options.url)
  return {
    maxAgeMs,
    async may(user, action, roomId, call = {}) {
      const { signal, cancelled, release } = boundedSignal(timeoutMs, call)
      try {
        const { target, init } = question(url, method, { user, action, roomId })
        const answer = await fetch(target, {
          ...init,
          headers: { accept: 'application/json', ...init.headers, ...headers },
          redirect: 'manual',
          signal,
        })
        return await readAnswer(answer, roomId, maxBytes)
      } catch (cause) {
        if (cancelled()) throw call.signal?.reason
        if (ChatError.is(cause)) throw cause
        throw unavailable(signal.aborted ? `did not answer within ${timeoutMs} ms` : 'cannot be asked', cause)
      } finally {
        release()
      }
    },
  }
}

interface Question {
  readonly user: User
  readonly action: RoomAction
  readonly roomId: RoomId
}

function question(
  url: URL,
  method: 'GET' | 'POST',
  { user, action, roomId }: Question,
): { target: URL; init: { method: string; headers: Record<string, string>; body?: string } } {
  const { userId } = user
  if (method === 'POST') {
    const body = JSON.stringify({ userId, roomId, action })
    return { target: url, init: { method, headers: { 'content-type': 'application/json' }, body } }
  }
  const target = new URL(url)
  for (const [name, value] of Object.entries({ userId, roomId, action }))
    target.searchParams.set(name, String(value))
  return { target, init: { method, headers: {} } }
}

/** Aborts at the time's end, or when the caller does. */
function boundedSignal(
  timeoutMs: number,
  { signal }: CallOptions,
): {
  readonly signal: AbortSignal
  readonly cancelled: () => boolean
  readonly release: () => void
} {
  const bound = new AbortController()
  const abort = (): void => bound.abort()
  const late = setTimeout(abort, timeoutMs)
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort, { once: true })
  return {
    signal: bound.signal,
    cancelled: () => signal?.aborted === true,
    release() {
      clearTimeout(late)
      signal?.removeEventListener('abort', abort)
    },
  }
}

async function readAnswer(answer: Response, roomId: RoomId, maxBytes: number): Promise<boolean> {
  const { status } = answer
  if (status >= 200 && status < 300) return isAllowed(await bodyText(answer, maxBytes))
  await answer.body?.cancel()
  if (status === 403) return false
  if (status === 404) throw new ChatError('NOT_FOUND', `there is no room ${roomId}`)
  throw unavailable(`answered with status ${status}`)
}

/** A body that says something else than a clear yes or no may be anybody's: a proxy's page, a login form. */
function isAllowed(text: string): boolean {
  if (text === '') return true
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch (cause) {
    throw unavailable('answered with something that is not JSON', cause)
  }
  const allowed =
    typeof said === 'object' && said !== null ? (said as { allowed?: unknown }).allowed : undefined
  if (typeof allowed === 'boolean') return allowed
  throw unavailable('answered without a boolean "allowed"')
}

async function bodyText({ body }: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop early cancels the body.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw unavailable(`answered with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function unavailable(what: string, cause?: unknown): ChatError {
  return new ChatError('UNAVAILABLE', `the service that knows who may enter ${what}`, {
    details: { waitsFor: 'room access' },
    ...(cause === undefined ? {} : { cause }),
  })
}
