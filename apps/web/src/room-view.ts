import { type ReadonlySignal, signal } from '@preact/signals'
import {
  type Chat,
  ClientError,
  comparePositions,
  type Gap,
  type PresenceChange,
  type Room,
} from '@sgs-chat/client'
import { STRETCH_CHATS } from './days.ts'
import { type PendingContent, type PendingItem, randomName } from './pending.ts'
import { report } from './problems.ts'

/** Read at once. */
const PAGE = 3 * STRETCH_CHATS
/** Chats that the page keeps of a room; older ones are read again when somebody scrolls back to them. */
const MAX_CHATS = 3_000
/** After a longer absence the newest are shown, and the rest is read by scrolling back. */
const MAX_FILL = 500

/** One room as the page shows it: its chats, what of ours is under way, and who is there. */
export class RoomView {
  readonly room: Room
  /** In order of their positions. */
  readonly chats = signal<readonly Chat[]>([])
  readonly pending = signal<readonly PendingItem[]>([])
  readonly people = signal<PresenceChange | undefined>(undefined)
  readonly past = signal<'unread' | 'reading' | 'more' | 'all'>('unread')
  /** Why the room is not shown. */
  readonly ended = signal<ClientError | undefined>(undefined)
  /** The last chat that came in from somebody else, for a screen reader. */
  readonly lastHeard = signal<Chat | undefined>(undefined)
  readonly #userId: ReadonlySignal<string>
  readonly #known = new Set<string>()
  #stopWatching: (() => void) | undefined
  #arrived: Chat[] = []
  /** Counts how often everything was dropped: what was being read then belongs nowhere. */
  #era = 0

  constructor(room: Room, userId: ReadonlySignal<string>) {
    this.room = room
    this.#userId = userId
    room.on('chat', chat => this.#arrive(chat))
    room.on('gap', gap => {
      this.#fill(gap).catch(report)
    })
    room.on('ended', error => {
      this.ended.value = error
    })
    room.on('presence', change => {
      this.people.value = change
    })
  }

  /** Goes on where it was left, if it was here before. */
  open(): void {
    this.ended.value = undefined
    const since = this.room.position
    this.room.join(since === undefined ? {} : { since }).catch(() => undefined)
    this.#stopWatching = this.room.watchPresence()
    if (this.past.value === 'unread') this.readOlder().catch(report)
  }

  close(): void {
    this.room.leave()
    this.#stopWatching?.()
    this.people.value = undefined
  }

  async readOlder(): Promise<void> {
    const before = this.past.value
    if (before === 'reading' || before === 'all' || this.ended.value !== undefined) return
    this.past.value = 'reading'
    const era = this.#era
    try {
      const oldest = this.chats.value[0]?.position
      // The first page is the newest; what has come live meanwhile is part of it.
      const isFirst = before === 'unread' || oldest === undefined
      const page = await this.room.history(isFirst ? { limit: PAGE } : { before: oldest, limit: PAGE })
      const left = page.chats.toSorted(byPosition)
      // More at a time would keep a slow device from scrolling for longer than people notice.
      while (left.length > 0 && era === this.#era) {
        this.#add(left.splice(-STRETCH_CHATS))
        await nextTurn()
      }
      if (era === this.#era) this.past.value = page.hasOlder ? 'more' : 'all'
    } catch (error) {
      if (era === this.#era) this.past.value = before
      // A room that may not be read says so as a whole.
      if (!(error instanceof ClientError && error.code === 'CHAT-004')) throw error
    }
  }

  send(text: string): void {
    this.#begin({ kind: 'text', text }, randomName())
  }

  sendFile(file: File): void {
    this.#begin(fileContent(file), randomName())
  }

  /** The same send again: if it was stored after all, it is still one chat. */
  again({ name, content }: PendingItem): void {
    this.#drop(name)
    this.#begin(content.kind === 'file' ? fileContent(content.file) : content, name, true)
  }

  remove({ name, content }: PendingItem): void {
    if (content.kind === 'file') content.abort.abort()
    this.#drop(name)
  }

  // --- what is sent ---

  #begin(content: PendingContent, name: string, retry = false): void {
    const item: PendingItem = { name, content, createdAt: new Date(), state: { phase: 'sending' } }
    this.pending.value = [...this.pending.value, item]
    this.#transmit(content, name, retry).then(
      id => {
        if (this.#known.has(id)) this.#drop(name)
        else this.#change(name, { state: { phase: 'stored', id } })
      },
      (error: ClientError) => {
        if (error.code === 'ABORTED' || error.code === 'CLOSED') this.#drop(name)
        else this.#change(name, { state: { phase: 'failed', error } })
      },
    )
  }

  async #transmit(content: PendingContent, name: string, retry: boolean): Promise<string> {
    if (content.kind === 'text') {
      const sent = await this.room.send({ content: content.text, clientMessageId: name, retry })
      return sent.id
    }
    const sent = await this.room.sendFile(content.file, {
      clientMessageId: name,
      retry,
      signal: content.abort.signal,
      onProgress: ({ sentBytes }) => this.#change(name, { content: { ...content, sentBytes } }),
    })
    return sent.id
  }

  #change(name: string, change: Partial<PendingItem>): void {
    this.pending.value = this.pending.value.map(item => (item.name === name ? { ...item, ...change } : item))
  }

  #drop(name: string): void {
    this.#keepPending(this.pending.value.filter(item => item.name !== name))
  }

  // --- what comes ---

  /** Chats of one moment are shown as one change. */
  #arrive(chat: Chat): void {
    this.#arrived.push(chat)
    if (this.#arrived.length > 1) return
    queueMicrotask(() => {
      const arrived = this.#arrived
      this.#arrived = []
      this.#add(arrived)
      const heard = arrived.findLast(({ senderId }) => senderId !== this.#userId.value)
      if (heard !== undefined) this.lastHeard.value = heard
    })
  }

  #add(chats: readonly Chat[]): void {
    const fresh = chats.filter(({ id }) => !this.#known.has(id))
    if (fresh.length === 0) return
    for (const { id } of fresh) this.#known.add(id)
    fresh.sort(byPosition)
    this.chats.value = merged(this.chats.value, fresh)
    if (this.pending.value.length > 0) this.#replacePending(fresh)
  }

  /** The room shows it now: by its id, or, before the acknowledgement, by being ours and the same. */
  #replacePending(fresh: readonly Chat[]): void {
    const left = [...this.pending.value]
    for (const { id, senderId, content } of fresh) {
      if (senderId !== this.#userId.value) continue
      const byId = left.findIndex(({ state }) => state.phase === 'stored' && state.id === id)
      const index =
        byId >= 0
          ? byId
          : left.findIndex(
              item =>
                item.state.phase === 'sending' &&
                item.content.kind === 'text' &&
                item.content.text === content,
            )
      if (index >= 0) left.splice(index, 1)
    }
    if (left.length !== this.pending.value.length) this.#keepPending(left)
  }

  #keepPending(left: readonly PendingItem[]): void {
    for (const item of this.pending.value) {
      if (left.includes(item) || item.content.kind === 'text') continue
      if (item.content.preview !== undefined) URL.revokeObjectURL(item.content.preview)
    }
    this.pending.value = left
  }

  /** Whoever reads the newest needs not the oldest kept. */
  trim(): void {
    const { value } = this.chats
    // What is being read joins on to the oldest.
    if (value.length <= MAX_CHATS || this.past.value === 'reading') return
    for (const { id } of value.slice(0, -MAX_CHATS / 2)) this.#known.delete(id)
    this.chats.value = value.slice(-MAX_CHATS / 2)
    this.past.value = 'more'
  }

  async #fill(gap: Gap): Promise<void> {
    const missed: Chat[] = []
    for await (const chat of this.room.fill(gap)) {
      missed.push(chat)
      if (missed.length > MAX_FILL) {
        this.#era += 1
        this.#known.clear()
        this.chats.value = []
        this.past.value = 'unread'
        await this.readOlder()
        return
      }
    }
    this.#add(missed)
  }
}

/** After the browser has had the time to scroll and to paint. */
function nextTurn(): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve)
  })
}

function byPosition(a: Chat, b: Chat): number {
  return comparePositions(a.position, b.position)
}

/** Both in order. Nearly always the one lies wholly before the other. */
function merged(shown: readonly Chat[], fresh: readonly Chat[]): readonly Chat[] {
  const [first, last, firstFresh, lastFresh] = [shown[0], shown.at(-1), fresh[0], fresh.at(-1)]
  if (first === undefined || last === undefined || firstFresh === undefined || lastFresh === undefined)
    return [...shown, ...fresh]
  if (byPosition(last, firstFresh) < 0) return [...shown, ...fresh]
  if (byPosition(lastFresh, first) < 0) return [...fresh, ...shown]
  return [...shown, ...fresh].sort(byPosition)
}

function fileContent(file: File): PendingContent {
  const preview = file.type.startsWith('image/') ? URL.createObjectURL(file) : undefined
  return { kind: 'file', file, preview, sentBytes: 0, abort: new AbortController() }
}
