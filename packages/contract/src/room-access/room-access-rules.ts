import assert from 'node:assert/strict'
import type { RoomAccess, RoomAction, RoomId, User } from '@sgs-chat/core'
import { rejectsAborted, rejectsWith } from '../assertions.ts'
import { type Harness, need, type Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'

export interface AccessQuestion {
  readonly user: User
  readonly action: RoomAction
  readonly roomId: RoomId
}

/** An access for one rule, questions with known answers, and what the rule may do to it. */
export interface RoomAccessHarness extends Harness {
  readonly access: RoomAccess
  /** At least one; several users, rooms and both actions make the suite sharper. */
  readonly allowed: readonly [AccessQuestion, ...AccessQuestion[]]
  /** What is answered with a clear no. */
  readonly denied?: readonly [AccessQuestion, ...AccessQuestion[]]
  /** A room that there is not, where the access knows such a thing. */
  readonly unknownRoom?: AccessQuestion
  /** From now on nobody can tell; what was answered before does not count any more. */
  readonly breakConnection?: () => Promise<void>
  readonly restoreConnection?: () => Promise<void>
  /** From now on whoever could tell does not answer; the access gives up by itself, in less than the rule's patience. */
  readonly hang?: () => Promise<void>
}

/** R1–R4 answers · R5–R8 faults. */
export const roomAccessRules: readonly Rule<RoomAccessHarness>[] = [
  {
    id: 'R1',
    title: 'who may is answered with true, again and again',
    async run({ access, allowed }) {
      for (const question of [...allowed, ...allowed])
        assert.equal(await ask(access, question), true, say(question))
    },
  },
  {
    id: 'R2',
    title: 'who may not is answered with false, again and again',
    async run(harness) {
      const denied = need(harness, 'denied')
      for (const question of [...denied, ...denied])
        assert.equal(await ask(harness.access, question), false, say(question))
    },
  },
  {
    id: 'R3',
    title: 'an answer is about exactly this user, room and action, also when all are asked at once',
    async run(harness) {
      const { access, allowed } = harness
      const denied = need(harness, 'denied')
      const questions = [...allowed, ...denied, ...allowed, ...denied]
      const answers = await Promise.all(questions.map(question => ask(access, question)))
      const expected = [...allowed.map(() => true), ...denied.map(() => false)]
      assert.deepEqual(answers, [...expected, ...expected])
    },
  },
  {
    id: 'R4',
    title: 'how long an answer may be used is a number of milliseconds, at least 0, or Infinity',
    async run({ access }) {
      assert.ok(access.maxAgeMs >= 0, String(access.maxAgeMs))
    },
  },
  {
    id: 'R5',
    spec: 'G11.2',
    title:
      'when it cannot tell it rejects with UNAVAILABLE, retryable: nobody gets in; it answers again afterwards',
    async run(harness) {
      const { access, allowed } = harness
      await need(harness, 'breakConnection')()
      for (const question of [...allowed, ...(harness.denied ?? [])]) {
        const error = await rejectsWith(() => ask(access, question), 'UNAVAILABLE', say(question))
        assert.ok(error.retryable)
      }
      await need(harness, 'restoreConnection')()
      for (const question of allowed) assert.equal(await ask(access, question), true, say(question))
    },
  },
  {
    id: 'R6',
    spec: 'G11.2',
    title: 'a room that there is not rejects with NOT_FOUND',
    async run(harness) {
      const question = need(harness, 'unknownRoom')
      await rejectsWith(() => ask(harness.access, question), 'NOT_FOUND', say(question))
    },
  },
  {
    id: 'R7',
    title: 'a call whose signal was aborted before rejects with the reason of the signal',
    async run({ access, allowed: [{ user, action, roomId }] }) {
      await rejectsAborted(async signal => access.may(user, action, roomId, { signal }), 'may')
    },
  },
  {
    id: 'R8',
    title: 'when nobody answers it rejects with UNAVAILABLE within a bounded time',
    async run(harness) {
      await need(harness, 'hang')()
      const [question] = harness.allowed
      await rejectsWith(() => ask(harness.access, question), 'UNAVAILABLE', say(question))
    },
  },
]

/** Declares a test for each promise of `RoomAccess`. */
export function testRoomAccess(options: SuiteOptions<RoomAccessHarness>): void {
  testRules('RoomAccess', roomAccessRules, options)
}

async function ask(access: RoomAccess, { user, action, roomId }: AccessQuestion): Promise<boolean> {
  return access.may(user, action, roomId)
}

function say({ user, action, roomId }: AccessQuestion): string {
  return `may ${user.userId} ${action} room ${roomId}`
}
