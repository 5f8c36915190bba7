import { ClientError } from './client-error.ts'
import { describeFile, type FileContent, type FileFacts, readFile } from './file-reads.ts'
import { FileUploads } from './file-uploads.ts'
import { type CallOptions, HttpCalls } from './http-calls.ts'
import { type ConnectionState, LastingConnection } from './lasting-connection.ts'
import { Listeners } from './listeners.ts'
import { type ChatClientOptions, type ClientSettings, settingsOf } from './options.ts'
import { Outbox } from './outbox.ts'
import { Room } from './room.ts'
import type { StompConnection } from './stomp-connection.ts'
import { TokenSource } from './token-source.ts'

export interface ClientEvents {
  readonly state: ConnectionState
  /** A failure that no call was there to hear of, such as a token that could not be renewed yet. */
  readonly error: ClientError
}

const TOPIC = /^\/topic\/(\d+)(\/presence)?$/

/**
 * One user's connection to the chat server: it stands until `close`, through reconnects and token changes, and what was
 * asked of it is asked again of each new session.
 */
export class ChatClient implements AsyncDisposable {
  readonly #settings: ClientSettings
  readonly #events = new Listeners<ClientEvents>()
  readonly #http: HttpCalls
  readonly #connection: LastingConnection
  readonly #outbox: Outbox
  readonly #files: FileUploads
  readonly #rooms = new Map<number, Room>()

  /** Nothing is connected yet. @throws ClientError INVALID for options that cannot be */
  constructor(options: ChatClientOptions) {
    this.#settings = settingsOf(options)
    const tokens = new TokenSource(this.#settings)
    this.#http = new HttpCalls(this.#settings, tokens)
    this.#connection = new LastingConnection(this.#settings, tokens, {
      up: () => this.#up(),
      state: state => this.#changed(state),
      failure: (error, destination) => this.#failure(error, destination),
    })
    this.#outbox = new Outbox(this.#settings, () => this.#current)
    this.#files = new FileUploads(this.#settings, this.#http, this.#outbox)
  }

  get state(): ConnectionState {
    return this.#connection.state
  }

  /** Chats that were asked to be sent and are not acknowledged. */
  get pendingSends(): number {
    return this.#outbox.messages
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /**
   * Connects, and keeps connected. Resolves when the connection stands, however often that had to be tried; rejects when
   * the server refuses it. Call it again when the network is known to be back: a wait ends at once.
   * @throws ClientError
   */
  connect(): Promise<void> {
    return this.#connection.connect()
  }

  /** The room of that number, an integer 0 … 2^53−1; always the same object. @throws ClientError INVALID */
  room(roomId: number): Room {
    const known = this.#rooms.get(roomId)
    if (known !== undefined) return known
    if (!Number.isSafeInteger(roomId) || roomId < 0)
      throw new ClientError('INVALID', 'roomId must be an integer from 0')
    const { maxRooms } = this.#settings
    if (this.#rooms.size >= maxRooms) this.#forgetLeft()
    if (this.#rooms.size >= maxRooms) throw new ClientError('INVALID', `over ${maxRooms} rooms`)
    const room = new Room(
      {
        settings: this.#settings,
        http: this.#http,
        outbox: this.#outbox,
        files: this.#files,
        connection: () => this.#current,
        report: error => this.#events.emit('error', error),
      },
      roomId,
    )
    this.#rooms.set(roomId, room)
    return room
  }

  /** A file's name, type and size; `link` is the content of its chat. @throws ClientError */
  describeFile(link: string, options: CallOptions = {}): Promise<FileFacts> {
    return describeFile(this.#http, this.#settings, link, options)
  }

  /** A file whole, with the user's token: for servers that open files to members of the room only. @throws ClientError */
  readFile(link: string, options: CallOptions = {}): Promise<FileContent> {
    return readFile(this.#http, this.#settings, link, options)
  }

  /**
   * Takes nothing more, waits at most `closeTimeoutMs` until what was sent is acknowledged, and disconnects. Sends that
   * have no answer by then reject with CLOSED.
   */
  async close(): Promise<void> {
    const { clock, closeTimeoutMs } = this.#settings
    const untilMs = clock.nowMs() + closeTimeoutMs
    const drained = this.#outbox.seal()
    if (this.#current !== undefined) {
      const late = Promise.withResolvers<void>()
      const cancel = clock.after(closeTimeoutMs, late.resolve)
      await Promise.race([drained, late.promise])
      cancel()
    }
    for (const room of this.#rooms.values()) room.lost()
    await this.#connection.close(Math.max(1, untilMs - clock.nowMs()))
    for (const room of this.#rooms.values()) room.close()
    this.#outbox.rejectAll()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #current(): StompConnection | undefined {
    return this.#connection.current
  }

  #up(): void {
    // Rooms first: a chat of ours is then seen by our own subscription.
    for (const room of this.#rooms.values()) room.resume()
    this.#outbox.resume()
  }

  #changed(state: ConnectionState): void {
    if (state.phase !== 'connected') for (const room of this.#rooms.values()) room.lost()
    this.#events.emit('state', state)
  }

  #failure(error: ClientError, destination = ''): void {
    const [, roomId, presence] = TOPIC.exec(destination) ?? []
    const room = roomId === undefined ? undefined : this.#rooms.get(Number(roomId))
    if (room === undefined) this.#events.emit('error', error)
    else room.revoked(error, presence === undefined ? 'chats' : 'presence')
  }

  #forgetLeft(): void {
    for (const [roomId, room] of this.#rooms) if (!room.isJoined) this.#rooms.delete(roomId)
  }
}
