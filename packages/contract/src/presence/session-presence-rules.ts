import assert from 'node:assert/strict'
import { holdingOf, parseRoomId, type RoomId, type SessionPresence, type SessionState } from '@sgs-chat/core'
import { lifeRules, rejection, rejectsAborted } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { type Harness, need, type Rule } from '../rule.ts'
import { freshName, freshRoom } from '../samples.ts'
import { type SuiteOptions, testRules } from '../suite.ts'
import { leaseRules } from './lease-rules.ts'
import { assertUnreachable, CONNECTED, GONE, present, reportOf, usersIn } from './presence-samples.ts'
import { watchRules } from './watch-rules.ts'

/** A registry's end for one rule, and what the rule may do to it. What an adapter cannot offer it leaves out, and skips. */
export interface SessionPresenceHarness extends Harness {
  readonly presence: SessionPresence
  /** The end of another chat node at the same registry. The harness closes it. */
  readonly openAnother?: () => Promise<SessionPresence>
  readonly breakConnection?: () => Promise<void>
  readonly restoreConnection?: () => Promise<void>
}

const EMPTY_PAGE = { snapshotId: 0, page: 0, isLast: true, sessions: [] }

/** P1–P10 report and whoIsIn, also on several nodes · P11–P16 faults and close · P17–P22 renew and snapshot · P23–P27 watch. */
export const sessionPresenceRules: readonly Rule<SessionPresenceHarness>[] = [
  {
    id: 'P1',
    title: 'once a report has resolved its user is in each of the rooms, and in no other',
    async run({ presence }) {
      const rooms = [freshRoom(), freshRoom(), parseRoomId(Number.MAX_SAFE_INTEGER)] as const
      const other = freshRoom()
      const name = freshName('user')
      await presence.report(reportOf(name, freshName('session'), 1, present(...rooms)))
      for (const room of rooms) assert.equal(await sessionsOf(presence, room, name), 1)
      const answer = await presence.whoIsIn(other)
      assert.equal(answer.roomId, other)
      assert.deepEqual(answer.users, [])
    },
  },
  {
    id: 'P2',
    title: 'a user of several sessions is in a room once, with their number, until the last has left',
    async run({ presence }) {
      const room = freshRoom()
      const sessions = [freshName('session'), freshName('session'), freshName('session')]
      for (const session of sessions) await presence.report(reportOf('alice', session, 1, present(room)))
      assert.deepEqual(await usersIn(presence, room), ['alice×3'])
      const [first, second, third] = sessions
      await presence.report(reportOf('alice', first ?? '', 2, GONE))
      await presence.report(reportOf('alice', second ?? '', 2, CONNECTED))
      assert.deepEqual(await usersIn(presence, room), ['alice×1'])
      await presence.report(reportOf('alice', third ?? '', 2, present(freshRoom())))
      assert.deepEqual(await usersIn(presence, room), [])
    },
  },
  {
    id: 'P3',
    title: 'users are ordered by their id, whatever the order they came in',
    async run({ presence }) {
      const room = freshRoom()
      const names = ['Zoe', 'alice', 'bob', 'carol', '10', '9', 'é', '한', 'a b', 'a', '_']
      for (const name of seededRandom(3).shuffle(names)) {
        await presence.report(reportOf(name, freshName('session'), 1, present(room)))
      }
      assert.deepEqual(
        await usersIn(presence, room),
        names.toSorted().map(name => `${name}×1`),
      )
    },
  },
  {
    id: 'P4',
    title: 'a later report replaces the rooms: what it does not name was left',
    async run({ presence }) {
      const [left, kept, entered] = [freshRoom(), freshRoom(), freshRoom()]
      const session = freshName('session')
      await presence.report(reportOf('alice', session, 1, present(left, kept)))
      await presence.report(reportOf('alice', session, 2, present(kept, entered)))
      assert.deepEqual(await usersIn(presence, left), [])
      assert.deepEqual(await usersIn(presence, kept), ['alice×1'])
      assert.deepEqual(await usersIn(presence, entered), ['alice×1'])
    },
  },
  {
    id: 'P5',
    title: 'connected and gone mean in no room; a session that was connected may enter again',
    async run({ presence }) {
      const room = freshRoom()
      const session = freshName('session')
      await presence.report(reportOf('alice', session, 1, present(room)))
      await presence.report(reportOf('alice', session, 2, CONNECTED))
      assert.deepEqual(await usersIn(presence, room), [])
      await presence.report(reportOf('alice', session, 3, present(room)))
      assert.deepEqual(await usersIn(presence, room), ['alice×1'])
      await presence.report(reportOf('alice', session, 4, GONE))
      assert.deepEqual(await usersIn(presence, room), [])
      await presence.report(reportOf('alice', freshName('never there'), 1, GONE))
    },
  },
  {
    id: 'P6',
    spec: 'G10.2',
    title: 'a report with a lower number than one already taken is ignored, also after connected and gone',
    async run({ presence }) {
      const [room, old] = [freshRoom(), freshRoom()]
      for (const latest of [present(room), CONNECTED, GONE]) {
        const session = freshName('session')
        await presence.report(reportOf('alice', session, 5, latest))
        await presence.report(reportOf('alice', session, 4, present(old)))
        await presence.report(reportOf('alice', session, 3, GONE))
        assert.deepEqual(await usersIn(presence, old), [], `${latest.state}: a late report put it back`)
      }
      assert.deepEqual(await usersIn(presence, room), ['alice×1'], 'a late report took it away')
    },
  },
  {
    id: 'P7',
    title: 'a report is idempotent: the same again changes nothing',
    async run({ presence }) {
      const room = freshRoom()
      const session = freshName('session')
      const reports = [present(room), CONNECTED, present(room)].map((state, index) =>
        reportOf('alice', session, index + 1, state),
      )
      for (const report of reports) {
        await presence.report(report)
        const before = await usersIn(presence, room)
        await Promise.all([presence.report(report), presence.report(structuredClone(report))])
        assert.deepEqual(await usersIn(presence, room), before)
      }
    },
  },
  {
    id: 'P8',
    spec: 'G10.2',
    title: 'reports of one session at once, in any order, end at the greatest number',
    async run({ presence }) {
      const random = seededRandom(8)
      for (let round = 0; round < 5; round++) {
        const rooms = Array.from({ length: 10 }, () => freshRoom())
        const session = freshName('session')
        const reports = rooms.map((room, number) => reportOf('alice', session, number + 1, present(room)))
        await Promise.all(random.shuffle(reports).map(report => presence.report(report)))
        const counts = await Promise.all(rooms.map(room => usersIn(presence, room)))
        assert.deepEqual(counts.flat(), ['alice×1'])
        assert.deepEqual(counts.at(-1), ['alice×1'])
      }
    },
  },
  {
    id: 'P9',
    title: 'hundreds of users come and go, and exactly those who are there are counted',
    async run({ presence }) {
      const random = seededRandom(9)
      const room = freshRoom()
      const names = Array.from({ length: 300 }, (_, index) => `user-${String(index).padStart(3, '0')}`)
      const sessions = new Map(names.map(name => [name, freshName('session')]))
      const report = (name: string, number: number, state: SessionState): Promise<void> =>
        presence.report(reportOf(name, sessions.get(name) ?? '', number, state))
      await Promise.all(names.map(name => report(name, 1, present(room))))
      const leaving = new Set(names.filter(() => random.chance(0.5)))
      await Promise.all([...leaving].map(name => report(name, 2, GONE)))
      const staying = names.filter(name => !leaving.has(name))
      assert.deepEqual(
        await usersIn(presence, room),
        staying.map(name => `${name}×1`),
      )
    },
  },
  ...presenceFaultRules(),
  ...leaseRules,
  ...watchRules,
]

function presenceFaultRules(): readonly Rule<SessionPresenceHarness>[] {
  return [
    {
      id: 'P10',
      title: 'what one node reported another one sees, and sessions of several nodes count together',
      async run(harness) {
        const { presence } = harness
        const other = await need(harness, 'openAnother')()
        const room = freshRoom()
        await presence.report(reportOf('alice', freshName('session'), 1, present(room)))
        await other.report(reportOf('alice', freshName('session'), 1, present(room)))
        await other.report(reportOf('bob', freshName('session'), 1, present(room)))
        for (const end of [presence, other]) assert.deepEqual(await usersIn(end, room), ['alice×2', 'bob×1'])
      },
    },
    {
      id: 'P11',
      title: 'a call whose signal was aborted before rejects with the reason of the signal',
      async run({ presence }) {
        const report = reportOf('alice', freshName('session'), 1, present(freshRoom()))
        await rejectsAborted(signal => presence.report(report, { signal }), 'report')
        await rejectsAborted(signal => presence.whoIsIn(freshRoom(), { signal }), 'whoIsIn')
        await rejectsAborted(signal => presence.renew(holdingOf([]), { signal }), 'renew')
        await rejectsAborted(signal => presence.snapshot(EMPTY_PAGE, { signal }), 'snapshot')
      },
    },
    {
      id: 'P12',
      title:
        'cut off, calls reject with a TCP_ code or UNAVAILABLE; afterwards the latest state, under its next number, counts',
      async run(harness) {
        const { presence } = harness
        const room = freshRoom()
        const report = reportOf('alice', freshName('session'), 1, present(room))
        await need(harness, 'breakConnection')()
        assertUnreachable(await rejection(() => presence.report(report), 'report'))
        assertUnreachable(await rejection(() => presence.whoIsIn(room), 'whoIsIn'))
        await need(harness, 'restoreConnection')()
        await presence.report({ ...report, number: 2 })
        assert.deepEqual(await usersIn(presence, room), ['alice×1'])
      },
    },
    ...lifeRules<SessionPresenceHarness>({
      ids: ['P13', 'P14', 'P15'],
      of: ({ presence }) => presence,
      calls: ({ presence }) => ({
        report: () => presence.report(reportOf('alice', freshName('session'), 1, CONNECTED)),
        whoIsIn: () => presence.whoIsIn(freshRoom()),
        renew: () => presence.renew(holdingOf([])),
        snapshot: () => presence.snapshot(EMPTY_PAGE),
      }),
    }),
    {
      id: 'P16',
      spec: 'G10.2',
      title: 'a report that was rejected was not taken: the very same one counts when it is made again',
      async run(harness) {
        const { presence } = harness
        const room = freshRoom()
        const report = reportOf('alice', freshName('session'), 1, present(room))
        await need(harness, 'breakConnection')()
        assertUnreachable(await rejection(() => presence.report(report), 'report'))
        await need(harness, 'restoreConnection')()
        await presence.report(report)
        assert.deepEqual(await usersIn(presence, room), ['alice×1'])
      },
    },
  ]
}

/** Declares a test for each promise of `SessionPresence`. */
export function testSessionPresence(options: SuiteOptions<SessionPresenceHarness>): void {
  testRules('SessionPresence', sessionPresenceRules, options)
}

async function sessionsOf(presence: SessionPresence, roomId: RoomId, user: string): Promise<number> {
  const { users } = await presence.whoIsIn(roomId)
  return users.find(found => found.userId === user)?.sessions ?? 0
}
