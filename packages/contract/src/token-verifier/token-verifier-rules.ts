import assert from 'node:assert/strict'
import { type ChatError, type DetailsOf, parseRoomId, type TokenVerifier } from '@sgs-chat/core'
import { rejectsAborted, rejectsWith } from '../assertions.ts'
import { seededRandom } from '../fakes/seeded-random.ts'
import { type Harness, need, type Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'

/** What a good token says. */
export interface TokenClaims {
  readonly userId: string
  /** From now on; absent: without an end. */
  readonly expiresInMs?: number
  readonly rooms?: readonly number[]
}

/** A verifier for one rule, and makers of tokens. A kind of token that there is not is left out, and skipped. */
export interface TokenVerifierHarness extends Harness {
  readonly verifier: TokenVerifier
  readonly makeGood: (claims: TokenClaims) => Promise<string>
  readonly makeExpired: () => Promise<string>
  readonly makeNotYetValid?: () => Promise<string>
  /** Right but for the key it was signed with. */
  readonly makeOfOtherKey?: () => Promise<string>
  /** Right but for the algorithm: none, a symmetric one with the public key, … */
  readonly makeOfOtherAlgorithms?: () => Promise<readonly string[]>
  /** Rightly signed, with this as its user claim; undefined: without the claim. */
  readonly makeWithUser?: (user: unknown) => Promise<string>
  /** How far `expiresAtMs` may be from the token's own end. @default 2_000 */
  readonly toleranceMs?: number
}

const GARBAGE: readonly string[] = [
  ' ',
  '.',
  '..',
  '...',
  'null',
  'undefined',
  'Bearer',
  'Bearer x',
  '{}',
  '[]',
  '0',
  'a.b.c',
  'e30.e30.',
  'e30.e30.e30',
  'eyJhbGciOiJub25lIn0.eyJpZCI6ImFsaWNlIn0.',
  '__proto__',
  'constructor',
  'toString',
  '한.글.👋',
  '\u0000',
  'a\nb',
  '\ud800',
  '=.=.=',
  '%2e%2e',
  '../../key',
  `${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.${'c'.repeat(5_000)}`,
]

/** T1–T3 good tokens · T4–T11 all others · T12–T13 calls. */
export const tokenVerifierRules: readonly Rule<TokenVerifierHarness>[] = [
  {
    id: 'T1',
    title: 'a good token answers its user, whatever the id holds, up to 255 characters',
    async run({ verifier, makeGood }) {
      for (const userId of [
        'alice',
        '7',
        ' a b ',
        'user@example.com',
        '사용자 👋🏽',
        '__proto__',
        'x'.repeat(255),
      ]) {
        const user = await verifier.verify(await makeGood({ userId, expiresInMs: 60_000 }))
        assert.equal(user.userId, userId)
      }
    },
  },
  {
    id: 'T2',
    title: 'the end of a token is answered in milliseconds; a token without an end has none',
    async run({ verifier, makeGood, toleranceMs = 2_000 }) {
      for (const expiresInMs of [60_000, 3_600_000, 86_400_000 * 400]) {
        const endMs = Date.now() + expiresInMs
        const { expiresAtMs } = await verifier.verify(await makeGood({ userId: 'alice', expiresInMs }))
        assert.ok(
          expiresAtMs !== undefined && Math.abs(expiresAtMs - endMs) <= toleranceMs,
          String(expiresAtMs),
        )
      }
      assert.equal((await verifier.verify(await makeGood({ userId: 'alice' }))).expiresAtMs, undefined)
    },
  },
  {
    id: 'T3',
    title:
      'the rooms of a token are answered as its claim names them; without the claim there are none to answer',
    async run({ verifier, makeGood }) {
      for (const rooms of [[], [0], [3, 1, 2, Number.MAX_SAFE_INTEGER]]) {
        const user = await verifier.verify(await makeGood({ userId: 'alice', rooms }))
        assert.deepEqual(user.rooms && [...user.rooms], rooms.map(parseRoomId))
      }
      assert.equal((await verifier.verify(await makeGood({ userId: 'alice' }))).rooms, undefined)
    },
  },
  {
    id: 'T4',
    title: 'an expired token is INVALID_TOKEN, expired',
    async run({ verifier, makeExpired }) {
      assert.equal(reasonOf(await refused(verifier, await makeExpired())), 'expired')
    },
  },
  {
    id: 'T5',
    title: 'no token is INVALID_TOKEN, missing',
    async run({ verifier }) {
      assert.equal(reasonOf(await refused(verifier, '')), 'missing')
    },
  },
  {
    id: 'T6',
    title: 'any other string is INVALID_TOKEN, with a reason, whatever it holds',
    async run({ verifier }) {
      for (const token of GARBAGE) await refused(verifier, token)
      const random = seededRandom(6)
      for (let round = 0; round < 300; round++) {
        const part = (): string =>
          Buffer.from(random.bytes(random.int(0, 60))).toString(random.pick(['base64url', 'latin1', 'utf8']))
        await refused(verifier, `${part()}.${part()}.${part()}`)
      }
    },
  },
  {
    id: 'T7',
    title: 'a good token with any one character changed, cut or added is INVALID_TOKEN',
    async run({ verifier, makeGood }) {
      const token = await makeGood({ userId: 'alice', expiresInMs: 60_000 })
      // The last character of a signature may carry bits that are not of it.
      for (let at = 0; at < token.length - 1; at++) {
        const changed = token[at] === 'A' ? 'B' : 'A'
        await refused(verifier, `${token.slice(0, at)}${changed}${token.slice(at + 1)}`)
      }
      for (const cut of [1, 2, 5, Math.floor(token.length / 2)]) await refused(verifier, token.slice(0, -cut))
      for (const added of [`${token}A`, `A${token}`, `${token}.A`, `.${token}`, `${token}.`])
        await refused(verifier, added)
    },
  },
  ...forgedRules(),
  {
    id: 'T12',
    title: 'a call whose signal was aborted before rejects with the reason of the signal',
    async run({ verifier, makeGood }) {
      const token = await makeGood({ userId: 'alice', expiresInMs: 60_000 })
      await rejectsAborted(signal => verifier.verify(token, { signal }), 'verify')
    },
  },
  {
    id: 'T13',
    title: 'tokens verified at once answer each its own user, and the bad ones among them none',
    async run({ verifier, makeGood, makeExpired }) {
      const names = Array.from({ length: 50 }, (_, index) => `user-${index}`)
      const tokens = await Promise.all(names.map(userId => makeGood({ userId, expiresInMs: 60_000 })))
      const bad = await makeExpired()
      const mixed = tokens.flatMap(token => [token, bad])
      const answers = await Promise.allSettled(mixed.map(token => verifier.verify(token)))
      const users = answers.map(answer => (answer.status === 'fulfilled' ? answer.value.userId : undefined))
      assert.deepEqual(
        users,
        names.flatMap(name => [name, undefined]),
      )
    },
  },
]

/** Tokens that are right in all but one thing. */
function forgedRules(): readonly Rule<TokenVerifierHarness>[] {
  return [
    {
      id: 'T8',
      title: 'a token signed with another key is INVALID_TOKEN',
      async run(harness) {
        await refused(harness.verifier, await need(harness, 'makeOfOtherKey')())
      },
    },
    {
      id: 'T9',
      title: 'a token of another algorithm, or of none, is INVALID_TOKEN',
      async run(harness) {
        const tokens = await need(harness, 'makeOfOtherAlgorithms')()
        assert.ok(tokens.length > 0)
        for (const token of tokens) await refused(harness.verifier, token)
      },
    },
    {
      id: 'T10',
      title: 'a token that is not valid yet is INVALID_TOKEN',
      async run(harness) {
        await refused(harness.verifier, await need(harness, 'makeNotYetValid')())
      },
    },
    {
      id: 'T11',
      title:
        'a token without a user id, or with one that is no text of 1 to 255 characters, is INVALID_TOKEN',
      async run(harness) {
        const makeWithUser = need(harness, 'makeWithUser')
        for (const user of [
          undefined,
          null,
          '',
          7,
          true,
          {},
          [],
          ['alice'],
          { id: 'alice' },
          'x'.repeat(256),
        ]) {
          await refused(harness.verifier, await makeWithUser(user))
        }
      },
    },
  ]
}

/** Declares a test for each promise of `TokenVerifier`. */
export function testTokenVerifier(options: SuiteOptions<TokenVerifierHarness>): void {
  testRules('TokenVerifier', tokenVerifierRules, options)
}

/** Refused as the port says: with the code, with a reason, and without the token, or a long part of it, in any text. */
async function refused(verifier: TokenVerifier, token: string): Promise<ChatError> {
  const error = await rejectsWith(() => verifier.verify(token), 'INVALID_TOKEN', 'verify')
  assert.ok(reasonOf(error) !== undefined, 'the details say the reason')
  const { message, description, stack = '', cause } = error
  const texts = [message, description, stack, String(cause)].join('\n')
  for (const part of [token, ...token.split('.')]) {
    assert.ok(part.length < 16 || !texts.includes(part), 'the token is in a text of the error')
  }
  return error
}

function reasonOf(error: ChatError): DetailsOf<'INVALID_TOKEN'>['reason'] | undefined {
  const details = error.details as DetailsOf<'INVALID_TOKEN'> | undefined
  return details?.reason
}
