import assert from 'node:assert/strict'
import { ChatError, type Closeable, type ErrorCode, type Position } from '@sgs-chat/core'
import type { Rule, RuleContext } from './rule.ts'

/** Rejects unless `call` rejects with a ChatError of one of these codes. */
export async function rejectsWith(
  call: () => Promise<unknown>,
  codes: ErrorCode | readonly ErrorCode[],
  what: string,
): Promise<ChatError> {
  const error = await rejection(call, what)
  assert.ok(ChatError.is(error), `${what}: rejected with something that is no ChatError: ${String(error)}`)
  const allowed = typeof codes === 'string' ? [codes] : codes
  assert.ok(
    allowed.includes(error.code),
    `${what}: rejected with ${error.code}, not with ${allowed.join(' or ')}`,
  )
  return error
}

/** What `call` rejects with; an answer, or a throw outside its promise, is a failure. */
export async function rejection(call: () => Promise<unknown>, what: string): Promise<unknown> {
  const promise = call()
  try {
    await promise
  } catch (error) {
    return error
  }
  assert.fail(`${what}: was expected to reject`)
}

/** A call whose signal was aborted before it rejects with the signal's own reason. */
export async function rejectsAborted(
  call: (signal: AbortSignal) => Promise<unknown>,
  what: string,
): Promise<void> {
  const reason = new Error('aborted by the contract suite')
  assert.equal(await rejection(() => call(AbortSignal.abort(reason)), what), reason, `${what}: the reason`)
}

/** Equal lists of texts. Says where long ones differ first, which a diff of thousands of lines does not. */
export function assertSameTexts(actual: readonly string[], expected: readonly string[], what: string): void {
  const at = expected.findIndex((text, index) => text !== actual[index])
  if (at === -1 && actual.length === expected.length) return
  const index = at === -1 ? expected.length : at
  const [came, wanted] = [actual[index], expected[index]].map(
    text => JSON.stringify(text?.slice(0, 80)) ?? 'nothing',
  )
  assert.fail(`${what}: ${actual.length} of ${expected.length}; number ${index} is ${came}, not ${wanted}`)
}

/** Just the two numbers, whatever object carries them. */
export function place({ epoch, seq }: Position): Position {
  return { epoch, seq }
}

/** Lets tests wait for what they observe instead of sleeping: call `happened` at each observation. */
export class Observed {
  private readonly waiting = new Set<() => void>()

  happened(): void {
    for (const check of this.waiting) check()
  }

  /** Resolves as soon as `condition` holds. */
  async until(condition: () => boolean, what: string, { patienceMs }: RuleContext): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.waiting.delete(check)
        reject(new assert.AssertionError({ message: `${what}: did not happen within ${patienceMs} ms` }))
      }, patienceMs)
      const check = (): void => {
        if (!condition()) return
        clearTimeout(timeout)
        this.waiting.delete(check)
        resolve()
      }
      this.waiting.add(check)
      check()
    })
  }
}

/** A promise to settle from outside. */
export interface Deferred {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

export function deferred(): Deferred {
  let settle: Omit<Deferred, 'promise'> | undefined
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, resolve: () => settle?.resolve(), reject: error => settle?.reject(error) }
}

export interface LifeRuleOptions<H> {
  /** The ids of the three rules. */
  readonly ids: readonly [close: string, dispose: string, after: string]
  readonly of: (harness: H) => Closeable
  /** Every other method of the port, by name. */
  readonly calls: (harness: H) => Readonly<Record<string, () => Promise<unknown>>>
}

/** The rules of every `Closeable`. */
export function lifeRules<H>({ ids, of, calls }: LifeRuleOptions<H>): readonly Rule<H>[] {
  const [close, dispose, after] = ids
  return [
    {
      id: close,
      title: 'close may be called any number of times and concurrently, and every call resolves',
      async run(harness) {
        const closeable = of(harness)
        await Promise.all([closeable.close(), closeable.close(), closeable.close()])
        await closeable.close()
      },
    },
    {
      id: dispose,
      title: '`await using` closes',
      async run(harness) {
        {
          await using closeable = of(harness)
          assert.equal(typeof closeable.close, 'function')
        }
        for (const [name, call] of Object.entries(calls(harness)))
          await rejectsWith(call, 'UNAVAILABLE', name)
      },
    },
    {
      id: after,
      title: 'calls after close reject with UNAVAILABLE, and none throws outside its promise',
      async run(harness) {
        await of(harness).close()
        for (const [name, call] of Object.entries(calls(harness)))
          await rejectsWith(call, 'UNAVAILABLE', name)
      },
    },
  ]
}
