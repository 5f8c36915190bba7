import { computed, effect, signal } from '@preact/signals'
import {
  ChatClient,
  ClientError,
  type ConnectionState,
  type FileContent,
  type FileFacts,
  type TokenReason,
} from '@sgs-chat/client'
import { report } from './problems.ts'
import { RoomView } from './room-view.ts'

/** By name, where the server gives tokens for development; or with a token of the person's own. */
export type Credentials =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'token'; readonly token: string }

/** Why the person is asked for a fresh token. */
export type TokenWish = 'expiring' | 'refused'

/** Who is there is looked at by people: they notice a few seconds. */
const PRESENCE_POLL_MS = 5_000

/** Somebody who is signed in: the client, and what was seen of each room. */
export class Session {
  readonly connection = signal<ConnectionState>({ phase: 'idle' })
  readonly tokenWish = signal<TokenWish | undefined>(undefined)
  /** Who the server takes us for; empty until it said so. */
  readonly userId = signal('')
  readonly #client: ChatClient
  readonly #rooms = new Map<number, RoomView>()
  #credentials: Credentials
  #isFresh = true

  constructor(credentials: Credentials) {
    this.#credentials = credentials
    this.#client = new ChatClient({
      url: location.origin,
      token: why => this.#token(why),
      presencePollMs: PRESENCE_POLL_MS,
    })
    this.#client.on('state', state => {
      this.connection.value = state
      if (state.phase === 'connected') this.userId.value = state.userId
    })
    this.#client.on('error', error => {
      // The person is asked for a token, which says it better.
      if (error.code !== 'TOKEN_UNAVAILABLE') report(error)
    })
  }

  /** @throws ClientError when the server does not let this person in */
  connect(): Promise<void> {
    return this.#client.connect()
  }

  room(roomId: number): RoomView {
    const known = this.#rooms.get(roomId)
    if (known !== undefined) return known
    const view = new RoomView(this.#client.room(roomId), this.userId)
    this.#rooms.set(roomId, view)
    return view
  }

  describeFile(url: string): Promise<FileFacts> {
    return this.#client.describeFile(url)
  }

  readFile(url: string): Promise<FileContent> {
    return this.#client.readFile(url)
  }

  /** A fresh token from the person: the session goes on with it. */
  giveToken(token: string): void {
    this.#credentials = { kind: 'token', token }
    this.#isFresh = true
    this.tokenWish.value = undefined
    if (this.connection.value.phase !== 'connected') this.connect().catch(report)
  }

  /** Something was written, or is being uploaded, that would be lost with the page. */
  get hasUnsent(): boolean {
    return [...this.#rooms.values()].some(({ pending }) => pending.value.length > 0)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #token(why: TokenReason): string | Promise<string> {
    const credentials = this.#credentials
    if (credentials.kind === 'name') return devToken(credentials.name)
    if (why === 'connect' || this.#isFresh) {
      this.#isFresh = false
      return credentials.token
    }
    // Requests by HTTP go on asking when the session has ended already: that stays the greater wish.
    if (this.tokenWish.value !== 'refused') this.tokenWish.value = why
    throw new ClientError('TOKEN_UNAVAILABLE', 'a fresh token is needed', { retryable: why === 'expiring' })
  }
}

/** @throws ClientError TOKEN_UNAVAILABLE, for good when this server gives none */
async function devToken(user: string): Promise<string> {
  const answer = await fetch('/chat/dev-token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user }),
  })
  const body = (await answer.json().catch(() => undefined)) as
    | { data?: { token?: string }; description?: string }
    | undefined
  if (answer.ok && body?.data?.token !== undefined) return body.data.token
  const retryable = answer.status >= 500 || answer.status === 429
  throw new ClientError('TOKEN_UNAVAILABLE', body?.description ?? `the server answered ${answer.status}`, {
    retryable,
  })
}

export const session = signal<Session | undefined>(undefined)
const isSignedIn = computed(() => session.value !== undefined)

export async function signIn(credentials: Credentials): Promise<void> {
  const next = new Session(credentials)
  try {
    await next.connect()
    session.value = next
  } catch (error) {
    await next.close()
    throw error
  }
}

export function signOut(): void {
  const last = session.value
  session.value = undefined
  last?.close().catch(report)
}

/** A network that is back, and a page that is looked at again, do not wait for the next try. */
export function hurryReconnects(): void {
  const hurry = (): void => {
    const current = session.value
    if (current?.connection.value.phase === 'waiting') current.connect().catch(() => undefined)
  }
  addEventListener('online', hurry)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') hurry()
  })
  effect(() => {
    if (!isSignedIn.value) return
    const ask = (event: BeforeUnloadEvent): void => {
      if (session.value?.hasUnsent === true) event.preventDefault()
    }
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  })
}
