import { untilAborted } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { settle } from './simulation/stepped-clock.ts'

describe('untilAborted', () => {
  it('gives every item, and nothing of the signal stays behind', async () => {
    const { signal } = new AbortController()
    async function* items(): AsyncGenerator<number> {
      yield* [1, 2, 3]
    }
    expect(await Array.fromAsync(untilAborted(items(), signal))).toEqual([1, 2, 3])
    expect(await Array.fromAsync(untilAborted(items(), undefined))).toEqual([1, 2, 3])
  })

  it('ends at once when it is aborted, also while it waits, and lets the source go', async () => {
    const aborting = new AbortController()
    let isReleased = false
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          isReleased = true
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    }
    const reading = Array.fromAsync(untilAborted(source, aborting.signal))
    const ended = expect(reading).rejects.toThrow('enough')
    await settle()
    aborting.abort(new Error('enough'))
    await ended
    expect(isReleased).toBe(true)
  })

  it('holds no item that was given', async () => {
    const { signal } = new AbortController()
    const { gc } = globalThis
    if (gc === undefined) throw new Error('run with --expose-gc')
    const given: WeakRef<object>[] = []
    async function* items(): AsyncGenerator<object> {
      for (let count = 0; count < 50; count++) {
        const item = { bytes: new Uint8Array(1_000) }
        given.push(new WeakRef(item))
        yield item
        await settle()
      }
      gc?.()
      expect(given.filter(item => item.deref() !== undefined).length).toBeLessThan(5)
    }
    for await (const item of untilAborted(items(), signal)) expect(item).toBeDefined()
  })
})
