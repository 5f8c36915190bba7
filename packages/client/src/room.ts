import type { IMessage } from '@stomp/stompjs'
import { type Chat, readChat } from './chat.ts'
import { ClientError } from './client-error.ts'
import type { FileOptions, FileUploads } from './file-uploads.ts'
import { type HistoryPage, type HistoryQuery, readHistory } from './history.ts'
import type { CallOptions, HttpCalls } from './http-calls.ts'
import { LastingSubscription } from './lasting-subscription.ts'
import { Listeners } from './listeners.ts'
import type { ClientSettings } from './options.ts'
import type { Draft, Outbox, Sent } from './outbox.ts'
import { parseJson } from './parse-json.ts'
import { checkPosition, comparePositions, isPosition, type Position } from './position.ts'
import { type PresenceChange, PresenceWatch, type PresentUser, readPresence } from './presence.ts'
import type { FrameHeaders, StompConnection } from './stomp-connection.ts'

/** Chats that the server could not give at a resume (SPEC G6.1): everything above `after` up to `until`. `Room.fill` reads them. */
export interface Gap {
  readonly after: Position
  readonly until: Position
  /** The server's own word: epoch, too-far, trimmed, unavailable. */
  readonly reason: string
}

export interface RoomEvents {
  /** A chat of the room, in the order of their positions, each once. */
  readonly chat: Chat
  /** Comes before the chats that are above it. */
  readonly gap: Gap
  /** The room is not received any more, for a reason that trying again would not change; `join` may be called again. */
  readonly ended: ClientError
  /** Who is in the room, while `watchPresence` is on. */
  readonly presence: PresenceChange
}

export interface JoinOptions {
  /** The last position that was seen: what came since is received first. @default only what comes from now on */
  readonly since?: Position
}

export interface RoomContext {
  readonly settings: ClientSettings
  readonly http: HttpCalls
  readonly outbox: Outbox
  readonly files: FileUploads
  readonly connection: () => StompConnection | undefined
  /** An error that belongs to no call. */
  readonly report: (error: ClientError) => void
}

const FILL_PAGE = 200

/** One room: what comes in it, what is sent into it, and its past. */
export class Room {
  readonly roomId: number
  readonly #context: RoomContext
  readonly #events = new Listeners<RoomEvents>()
  readonly #subscription: LastingSubscription
  readonly #presence: PresenceWatch
  /** Up to where everything was received, or told of as a gap. */
  #seen: Position | undefined
  #joining: PromiseWithResolvers<void> | undefined

  constructor(context: RoomContext, roomId: number) {
    this.#context = context
    this.roomId = roomId
    this.#subscription = new LastingSubscription(context, {
      id: `room-${roomId}`,
      destination: `/topic/${roomId}`,
      headers: (): FrameHeaders => (this.#seen === undefined ? {} : { since: this.#seen }),
      begun: (receipt, { since }) => this.#begun(receipt, since),
      message: message => this.#receive(message),
      ended: error => {
        this.#settle(error)
        this.#events.emit('ended', error)
      },
    })
    this.#presence = new PresenceWatch(context, {
      roomId,
      read: () => this.presence(),
      changed: change => this.#events.emit('presence', change),
    })
  }

  on<Name extends keyof RoomEvents>(name: Name, listener: (event: RoomEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /** The position up to which everything was received or told of: what `since` of a later `join` would be. */
  get position(): Position | undefined {
    return this.#seen
  }

  /** Whether the room is received, or will be as soon as there is a connection. */
  get isJoined(): boolean {
    return this.#subscription.isOn
  }

  /**
   * Receives the room from now on, over every reconnect, until `leave`. Resolves when the server has said so (which may
   * take until there is a connection). @throws ClientError CHAT-004 for a room that the user may not read
   */
  join({ since }: JoinOptions = {}): Promise<void> {
    if (!this.#subscription.isOn) {
      this.#seen = since === undefined ? undefined : checkPosition(since)
      this.#joining = Promise.withResolvers()
      // Whoever waits hears of it; `ended` tells everybody else.
      this.#joining.promise.catch(() => undefined)
      this.#subscription.start()
    }
    return this.#joining?.promise ?? Promise.resolve()
  }

  /** Receives nothing more, and is not present any more. */
  leave(): void {
    this.#subscription.stop()
    this.#settle(new ClientError('CLOSED', 'the room was left'))
  }

  /** Tells who is in the room, and who comes and goes, as `presence` events, until the function that it gives back is called. */
  watchPresence(): () => void {
    this.#presence.start()
    return () => this.#presence.stop()
  }

  /** Resolves when the log has the chat; until then it is kept and sent again as needed. @throws ClientError */
  send(draft: string | Draft): Promise<Sent> {
    return this.#context.outbox.send(this.roomId, typeof draft === 'string' ? { content: draft } : draft)
  }

  /** Uploads a file, to where the server says, and sends its chat. Resolves when the log has the chat. @throws ClientError */
  sendFile(file: Blob, options: FileOptions = {}): Promise<Sent> {
    return this.#context.files.send(this.roomId, file, options)
  }

  /** @throws ClientError */
  history(query: HistoryQuery = {}): Promise<HistoryPage> {
    return readHistory(this.#context.http, this.roomId, query)
  }

  /** The chats of a gap, oldest first, read from the history. @throws ClientError CHAT-034 when some could not be read yet */
  async *fill({ after, until }: Gap, options: CallOptions = {}): AsyncGenerator<Chat, void, void> {
    for (let from = after; ; ) {
      const page = await this.history({ after: from, limit: FILL_PAGE, ...options })
      for (const chat of page.chats.toReversed()) {
        if (comparePositions(chat.position, until) > 0) return
        yield chat
        from = chat.position
      }
      if (!page.complete)
        throw new ClientError('CHAT-034', 'the history has not all of it yet', { retryable: true })
      if (!page.hasNewer || page.chats.length === 0) return
    }
  }

  /** Who is in the room now. @throws ClientError */
  presence(options: CallOptions = {}): Promise<readonly PresentUser[]> {
    return readPresence(this.#context.http, this.roomId, options)
  }

  // --- what the client tells it ---

  /** A connection stands that knows nothing of this room. */
  resume(): void {
    this.#subscription.resume()
    this.#presence.subscription.resume()
  }

  /** The connection is over. */
  lost(): void {
    this.#subscription.lost()
    this.#presence.subscription.lost()
  }

  /** The server ended a subscription of the room. */
  revoked(error: ClientError, what: 'chats' | 'presence'): void {
    if (what === 'chats') this.#subscription.revoked(error)
    else this.#presence.subscription.revoked(error)
  }

  /** The client is closed. */
  close(): void {
    this.leave()
    this.#presence.stop()
  }

  #begun(receipt: FrameHeaders, since: Position | undefined): void {
    const { epoch, 'head-seq': seq, recovered, reason = 'unavailable' } = receipt
    const head = `${epoch}:${seq}`
    if (since === undefined) this.#seen = isPosition(head) ? head : undefined
    else if (recovered === 'false' && isPosition(head)) {
      this.#seen = head
      this.#events.emit('gap', { after: since, until: head, reason })
    }
    this.#joining?.resolve()
  }

  #receive({ body, headers }: IMessage): void {
    const chat = this.#read(body, headers.position)
    if (chat === undefined) return
    if (this.#seen !== undefined && comparePositions(chat.position, this.#seen) <= 0) return
    this.#seen = chat.position
    this.#events.emit('chat', chat)
  }

  #read(body: string, position: string | undefined): Chat | undefined {
    try {
      return readChat(parseJson(body), position)
    } catch (cause) {
      this.#context.report(ClientError.from(cause, 'UNEXPECTED_ANSWER', false))
      return undefined
    }
  }

  #settle(error: ClientError): void {
    this.#joining?.reject(error)
    this.#joining = undefined
  }
}
