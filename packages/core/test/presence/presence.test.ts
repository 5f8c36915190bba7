import {
  ChatError,
  embeddedPresence,
  type PresenceFeed,
  type PresenceSink,
  parseRoomId,
  type SessionPresence,
  type SessionReport,
  userId,
} from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { nowhere } from '../simulation/plain-ports.ts'
import { SteppedClock, settle } from '../simulation/stepped-clock.ts'
import { ALICE, BOB, TestNode } from '../simulation/test-node.ts'
import { PlainStore } from './plain-store.ts'

const ROOM = parseRoomId(7)
const OTHER = parseRoomId(8)
function registry(): SessionPresence {
  return embeddedPresence({ store: new PlainStore(), clock: new SteppedClock() })
}

/** A registry that keeps what it was told, and can be away. */
class HeardPresence implements SessionPresence {
  readonly reports: SessionReport[] = []
  isAway = false
  readonly isLeased = false
  private readonly registry = registry()

  async report(report: SessionReport): Promise<void> {
    if (this.isAway) throw new ChatError('TCP_CONNECTION_FAILED', 'the state server is away')
    this.reports.push(report)
    await this.registry.report(report)
  }

  renew: SessionPresence['renew'] = holding => this.registry.renew(holding)
  snapshot: SessionPresence['snapshot'] = page => this.registry.snapshot(page)
  whoIsIn: SessionPresence['whoIsIn'] = roomId => this.registry.whoIsIn(roomId)
  watch: SessionPresence['watch'] = (roomId, watcher) => this.registry.watch(roomId, watcher)
  close = (): Promise<void> => this.registry.close();
  [Symbol.asyncDispose] = this.close
}

async function nodeWith(presence: SessionPresence, limits = {}): Promise<TestNode> {
  return TestNode.start(limits, { presence })
}

describe('presence', () => {
  it('two sessions of a user are one user in the room until both have left', async () => {
    const node = await nodeWith(new HeardPresence())
    const { presence } = node.chat
    const [one, two] = [presence.open(ALICE.userId), presence.open(ALICE.userId)]
    const third = presence.open(BOB.userId)
    for (const session of [one, two, third]) presence.enter(session, ROOM)
    await settle()
    const users = async () => (await presence.whoIsIn(ALICE, ROOM)).users
    expect(await users()).toEqual([
      { userId: 'alice', sessions: 2 },
      { userId: 'bob', sessions: 1 },
    ])
    presence.end(one)
    presence.leave(third, ROOM)
    await settle()
    expect(await users()).toEqual([{ userId: 'alice', sessions: 1 }])
    presence.end(two)
    await settle()
    expect(await users()).toEqual([])
  })

  it('W84: maxPresenceRooms are watched on a node, and one more is refused until one is left', async () => {
    const { presence } = (await nodeWith(new HeardPresence(), { maxPresenceRooms: 2 })).chat
    const nothing = (): void => undefined
    const sink: PresenceSink = { picture: nothing, news: nothing, writable: () => true, ended: nothing }
    const watch = (room: number): Promise<PresenceFeed> => presence.watch(ALICE, parseRoomId(room), sink)
    const [first] = [await watch(1), await watch(2), await watch(2)]
    await expect(watch(3)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' })
    first.end('closed')
    await watch(3)
  })

  it('G10.4: two subscriptions of one session to a room enter once and leave once', async () => {
    const heard = new HeardPresence()
    const { presence } = (await nodeWith(heard)).chat
    const session = presence.open(ALICE.userId)
    presence.enter(session, ROOM)
    presence.enter(session, ROOM)
    presence.leave(session, ROOM)
    await settle()
    expect(heard.reports).toHaveLength(1)
    presence.leave(session, ROOM)
    await settle()
    expect(heard.reports.map(report => report.session.state)).toEqual(['present', 'connected'])
  })

  it('double leaves, leaves of rooms never entered and late calls are harmless', async () => {
    const heard = new HeardPresence()
    const { presence } = (await nodeWith(heard)).chat
    const session = presence.open(ALICE.userId)
    presence.leave(session, ROOM)
    presence.enter(session, ROOM)
    presence.end(session)
    presence.end(session)
    presence.leave(session, ROOM)
    presence.enter(session, OTHER)
    await settle()
    expect(heard.reports.at(-1)?.session).toEqual({ state: 'gone' })
    expect((await presence.whoIsIn(ALICE, OTHER)).users).toEqual([])
  })

  it('a session that was never anywhere is not reported at all', async () => {
    const heard = new HeardPresence()
    const { presence } = (await nodeWith(heard)).chat
    presence.end(presence.open(ALICE.userId))
    await settle()
    expect(heard.reports).toEqual([])
  })

  it('a session is in as many rooms as allowed, and refused one more', async () => {
    const { presence } = (await nodeWith(new HeardPresence(), { maxRoomsPerSession: 2 })).chat
    const session = presence.open(ALICE.userId)
    presence.enter(session, ROOM)
    presence.enter(session, OTHER)
    presence.enter(session, OTHER)
    expect(() => presence.enter(session, parseRoomId(9))).toThrow(ChatError)
    presence.leave(session, ROOM)
    expect(() => presence.enter(session, parseRoomId(9))).not.toThrow()
  })

  it('while the registry is away only the latest state of each session waits, and is told later', async () => {
    const heard = new HeardPresence()
    const node = await nodeWith(heard)
    const { presence } = node.chat
    heard.isAway = true
    const session = presence.open(ALICE.userId)
    for (let round = 0; round < 50; round++) {
      presence.enter(session, ROOM)
      presence.leave(session, ROOM)
    }
    presence.enter(session, OTHER)
    await settle()
    heard.isAway = false
    await node.clock.advance(2_000)
    expect(heard.reports.map(report => report.session)).toEqual([{ state: 'present', rooms: [OTHER] }])
  })

  it('at most maxPresenceReports are under way at once', async () => {
    let underway = 0
    let most = 0
    const answers: (() => void)[] = []
    const presence: SessionPresence = {
      ...nowhere,
      report: () => {
        underway += 1
        most = Math.max(most, underway)
        return new Promise(resolve =>
          answers.push(() => {
            underway -= 1
            resolve()
          }),
        )
      },
    }
    const { chat } = await nodeWith(presence, { maxPresenceReports: 3 })
    for (let index = 0; index < 10; index++)
      chat.presence.enter(chat.presence.open(userId(`user-${index}`)), ROOM)
    let answered = 0
    for (; answers.length > 0; answered++) {
      answers.shift()?.()
      await settle()
    }
    expect([answered, most]).toEqual([10, 3])
  })
})

describe('the presence registry', () => {
  const report = (number: number, session: SessionReport['session']): SessionReport => ({
    sessionId: 's1',
    userId: userId('alice'),
    number,
    session,
  })

  it('G10.2: a report with an older number changes nothing', async () => {
    const presence = registry()
    await presence.report(report(2, { state: 'present', rooms: [ROOM] }))
    await presence.report(report(1, { state: 'gone' }))
    expect((await presence.whoIsIn(ROOM)).users).toHaveLength(1)
    await presence.report(report(4, { state: 'gone' }))
    await presence.report(report(3, { state: 'present', rooms: [ROOM] }))
    expect((await presence.whoIsIn(ROOM)).users).toEqual([])
  })

  it('refuses everything once it is closed', async () => {
    const presence = registry()
    await Promise.all([presence.close(), presence.close()])
    await presence[Symbol.asyncDispose]()
    await expect(presence.whoIsIn(ROOM)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(presence.report(report(1, { state: 'gone' }))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
