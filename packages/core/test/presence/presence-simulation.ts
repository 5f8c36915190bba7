import {
  ChatError,
  type NodeRef,
  openRoomAccess,
  PRESENCE_LEASE_MS,
  type PresenceRegistry,
  type PresentSession,
  parseRoomId,
  presenceRegistry,
  type RoomId,
  type RoomWatcher,
  type SessionPresence,
  silentLogger,
  userId,
  withDefaultLimits,
} from '@sgs-chat/core'
import { PresenceSession } from '../../src/presence/presence-session.ts'
import { ToldRegistries } from '../../src/presence/told-registries.ts'
import { watchPresence } from '../../src/presence/watch-presence.ts'
import { AccessWatch } from '../../src/room/access-watch.ts'
import { SteppedClock } from '../simulation/stepped-clock.ts'
import { PlainStore } from './plain-store.ts'

const NODES = 3
const ROOMS: readonly RoomId[] = [0, 1, 2].map(room => parseRoomId(room))
const USERS = ['alice', 'bob', 'carol']
const LIMITS = withDefaultLimits({ presenceSnapshotPage: 2, maxPresenceReports: 2 })
const TIMEOUT_MS = 3_000
/** A frame is late by at most so much, its timeout over or not. */
const LATE_MS = 5_000
/** A frame that is late, a lease, and the sweep that finds it over. */
const AT_REST_MS = LATE_MS + 1.1 * PRESENCE_LEASE_MS
/** What subscribers are told comes later: after the grace time, in batches, when they have room. */
const NEWS_MS = 15_000

/** `slow`: late, perhaps after its timeout. `lossy`: frames and answers are lost, or come twice. */
type LinkState = 'well' | 'slow' | 'lossy' | 'down'

export type PresenceStep =
  | { readonly step: 'open'; readonly node: number; readonly user: number; readonly room: number }
  | {
      readonly step: 'enter' | 'leave'
      readonly node: number
      readonly session: number
      readonly room: number
    }
  | { readonly step: 'end'; readonly node: number; readonly session: number }
  | { readonly step: 'kill' | 'stop' | 'start'; readonly node: number }
  | { readonly step: 'link'; readonly node: number; readonly state: LinkState }
  | { readonly step: 'server'; readonly becomes: 'down' | 'up' | 'restarted' | 'restarted empty' }
  | { readonly step: 'store'; readonly becomes: 'away' | 'well' | 'empty' }
  | { readonly step: 'wait'; readonly ms: number }

/** Chat nodes and a state server that die, over links that lose, delay and repeat; then everything is well, and must be true. */
export class PresenceSimulation {
  readonly clock = new SteppedClock()
  readonly store = new PlainStore()
  server: PresenceRegistry | undefined
  private readonly nodes: (SimulatedNode | undefined)[] = []
  private readonly observer: Link
  private readonly seen = new Map<RoomId, Set<string>>()
  private state: number
  private made = 0

  constructor(seed: number) {
    this.state = seed
    this.serve()
    for (let node = 0; node < NODES; node++) this.startNode(node)
    this.observer = new Link(this, { id: 'observer', incarnation: 'one' })
  }

  async run(steps: readonly PresenceStep[]): Promise<readonly string[]> {
    await this.observe()
    for (const step of steps) {
      this.take(step)
      if (step.step === 'wait') await this.clock.advance(step.ms)
    }
    this.store.isAway = false
    if (this.server === undefined) this.serve()
    for (const node of this.nodes) node?.link.become('well')
    this.observer.become('well')
    await this.clock.advance(AT_REST_MS)
    const wrong = await this.compareRegistry()
    await this.clock.advance(NEWS_MS)
    wrong.push(...this.compareNews())
    await this.server?.close()
    for (const node of this.nodes) node?.kill()
    return wrong
  }

  /** 0 ≤ n < 1, by the seed. */
  random(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return this.state / 2 ** 32
  }

  private take(step: PresenceStep): void {
    const node = 'node' in step ? this.nodes[step.node] : undefined
    switch (step.step) {
      case 'open':
        node?.open(`session-${this.made++}`, USERS[step.user] ?? '', ROOMS[step.room])
        return
      case 'enter':
      case 'leave':
        node?.move(step.step, step.session, ROOMS[step.room])
        return
      case 'end':
        node?.end(step.session)
        return
      case 'kill':
      case 'stop':
        node?.[step.step]()
        this.nodes[step.node] = undefined
        return
      case 'start':
        if (node === undefined) this.startNode(step.node)
        return
      case 'link':
        ;(node?.link ?? this.observer).become(step.state)
        return
      case 'server':
        this.serverBecomes(step.becomes)
        return
      case 'store':
        this.store.isAway = step.becomes === 'away'
        if (step.becomes === 'empty') this.store.sessions.clear()
        return
      case 'wait':
        return
    }
  }

  private startNode(node: number): void {
    this.nodes[node] = new SimulatedNode(this, { id: `node-${node}`, incarnation: `i${this.made++}` })
  }

  private serverBecomes(becomes: 'down' | 'up' | 'restarted' | 'restarted empty'): void {
    if (becomes !== 'up') {
      void this.server?.close()
      this.server = undefined
      if (becomes === 'restarted empty') this.store.sessions.clear()
    }
    if (becomes !== 'down' && this.server === undefined) this.serve()
    for (const node of this.nodes) node?.link.watchAgain()
    this.observer.watchAgain()
  }

  private serve(): void {
    this.server = presenceRegistry({ store: this.store, clock: this.clock })
  }

  /** A subscriber of each room's presence, which believes what it is told. */
  private async observe(): Promise<void> {
    const { clock, observer } = this
    const watch = new AccessWatch({ access: openRoomAccess, clock, staleMaxMs: 1 })
    const ports = { presence: observer, clock, limits: LIMITS, checkAccess: () => undefined, watch }
    const watching = watchPresence(ports)
    for (const roomId of ROOMS) {
      const sink = {
        picture: ({ users }: { users: readonly string[] }) => void this.seen.set(roomId, new Set(users)),
        news: ({ joined, left }: { joined: readonly string[]; left: readonly string[] }) => {
          for (const user of joined) this.seen.get(roomId)?.add(user)
          for (const user of left) this.seen.get(roomId)?.delete(user)
        },
        writable: () => this.random() < 0.9,
        ended: () => undefined,
      }
      const feed = await watching({ userId: userId('observer') }, roomId, sink)
      feed.open()
      const pull = (): void => {
        feed.pull()
        clock.after(3_700, pull)
      }
      pull()
    }
  }

  private get openSessions(): readonly OpenSession[] {
    return this.nodes.flatMap(node => node?.openSessions ?? [])
  }

  /** What is not as the open sessions are; empty when all is true. */
  private async compareRegistry(): Promise<string[]> {
    const open = this.openSessions
    const kept = [...this.store.sessions.values()].map(placeOf)
    const wrong = differences('the store', kept, open.map(placeOf))
    for (const roomId of ROOMS) {
      const users = open.filter(({ rooms }) => rooms.includes(roomId)).map(session => session.userId)
      const answer = await this.server?.whoIsIn(roomId)
      const counted = answer?.users.flatMap(user => Array.from({ length: user.sessions }, () => user.userId))
      wrong.push(...differences(`room ${roomId}`, counted ?? [], users))
    }
    return wrong
  }

  private compareNews(): readonly string[] {
    return ROOMS.flatMap(roomId => {
      const there = this.openSessions.filter(({ rooms }) => rooms.includes(roomId))
      const users = new Set<string>(there.map(session => session.userId))
      return differences(`what was seen of room ${roomId}`, [...(this.seen.get(roomId) ?? [])], [...users])
    })
  }
}

type OpenSession = Pick<PresentSession, 'sessionId' | 'userId' | 'rooms'>

function placeOf({ sessionId, rooms }: OpenSession): string {
  return `${sessionId} in ${rooms.join()}`
}

function differences(what: string, is: readonly string[], should: readonly string[]): string[] {
  if (is.toSorted().join() === should.toSorted().join()) return []
  return [`${what}: [${is.join()}] and not [${should.join()}]`]
}

class SimulatedNode {
  readonly link: Link
  private readonly told: ToldRegistries
  private sessions: PresenceSession[] = []

  constructor(world: PresenceSimulation, ref: NodeRef) {
    this.link = new Link(world, ref)
    const { clock } = world
    this.told = new ToldRegistries({ presences: this.link, clock, limits: LIMITS, logger: silentLogger })
  }

  get openSessions(): readonly OpenSession[] {
    return this.sessions.flatMap(({ sessionId, userId: user, state }) =>
      state.state === 'present' ? [{ sessionId, userId: user, rooms: state.rooms }] : [],
    )
  }

  open(sessionId: string, user: string, room: RoomId | undefined): void {
    const session = new PresenceSession(sessionId, userId(user))
    this.sessions.push(session)
    if (room !== undefined && session.enter(room)) this.told.report(session)
  }

  move(how: 'enter' | 'leave', index: number, room: RoomId | undefined): void {
    const session = this.sessions[index]
    if (session === undefined || room === undefined) return
    if (how === 'enter' ? !session.isIn(room) && session.enter(room) : session.leave(room))
      this.told.report(session)
  }

  end(index: number): void {
    const [session] = this.sessions.splice(index, 1)
    if (session?.end() && session.wasReported) this.told.report(session)
  }

  /** The process is gone: nothing is told, but what is on its way may come. */
  kill(): void {
    this.link.become('down')
    void this.told.close(0)
  }

  /** As a server stops: every session ends, and that is told as long as it can be. */
  stop(): void {
    while (this.sessions.length > 0) this.end(0)
    void this.told.close(LATE_MS)
  }
}

/** A link's client and server end in one, and the wire between them. */
class Link implements SessionPresence {
  readonly isLeased = true
  private readonly world: PresenceSimulation
  private readonly ref: NodeRef
  private state: LinkState = 'well'
  private readonly watches = new Set<{
    roomId: RoomId
    watcher: RoomWatcher
    inner?: Disposable | undefined
  }>()

  constructor(world: PresenceSimulation, ref: NodeRef) {
    this.world = world
    this.ref = ref
  }

  become(state: LinkState): void {
    this.state = state
    this.watchAgain()
  }

  report: SessionPresence['report'] = report => this.call(end => end.report(report))
  renew: SessionPresence['renew'] = holding => this.call(end => end.renew(holding))
  snapshot: SessionPresence['snapshot'] = page => this.call(end => end.snapshot(page))
  whoIsIn: SessionPresence['whoIsIn'] = roomId => this.call(end => end.whoIsIn(roomId))

  watch(roomId: RoomId, watcher: RoomWatcher): Disposable {
    const watch = { roomId, watcher }
    this.watches.add(watch)
    this.watchAgain()
    return { [Symbol.dispose]: () => this.watches.delete(watch) }
  }

  /** The connection was lost, or is there again: what came between is lost. */
  watchAgain(): void {
    for (const watch of this.watches) {
      watch.inner?.[Symbol.dispose]()
      watch.inner =
        this.state === 'down'
          ? undefined
          : this.world.server?.ofNode(this.ref).watch(watch.roomId, {
              changed: change => watch.watcher.changed(change),
              stale: () => watch.watcher.stale(),
            })
    }
  }

  async close(): Promise<void> {}
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private call<T>(make: (end: SessionPresence) => Promise<T>): Promise<T> {
    const { world, state } = this
    const arrive = async (): Promise<T> => {
      if (world.server === undefined) return new Promise<T>(() => undefined)
      return make(world.server.ofNode(this.ref))
    }
    const late = (run: () => void): void => {
      world.clock.after(world.random() * LATE_MS, run)
    }
    const arriveUnheard = (): void => {
      arrive().catch(() => undefined)
    }
    if (state === 'down' || world.server === undefined) {
      return Promise.reject(new ChatError('TCP_CONNECTION_FAILED', 'no connection'))
    }
    if (state === 'well') return arrive()
    return new Promise((resolve, reject) => {
      world.clock.after(TIMEOUT_MS, () => reject(new ChatError('TCP_TIMEOUT', 'no answer in time')))
      const fate = world.random()
      if (state === 'slow') late(() => void arrive().then(resolve, reject))
      else if (fate < 0.4) arrive().then(resolve, reject)
      else if (fate < 0.6) arriveUnheard()
      else if (fate < 0.8) {
        arrive().then(resolve, reject)
        late(arriveUnheard)
      }
    })
  }
}
