import { manualClock, recordingLogger } from '@sgs-chat/contract/fakes'
import { ChatError, type PresenceStore } from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { describe, expect, it } from 'vitest'
import { AwaitedStore } from '../src/awaited-store.ts'

function away(description: string, retryable = true): ChatError {
  return new ChatError('UNAVAILABLE', description, { details: { waitsFor: 'REDIS_URL' }, retryable })
}

/** Half of the jitter's range: three quarters of each wait. */
const LIMITS = { setting: 'REDIS_URL', retryMs: 100, retryMaxMs: 400, random: () => 0.5 }

/** Lets everything run that waits for nothing but promises. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('S6: a presence store that is away at start', () => {
  it('is tried again with growing waits, said once for each change, and used once it is there', async () => {
    const clock = manualClock(0)
    const logger = recordingLogger()
    const answers: (ChatError | PresenceStore)[] = [
      away('refused'),
      away('refused'),
      away('hangs'),
      memoryPresenceStore(),
    ]
    const triedAtMs: number[] = []
    const open = async (): Promise<PresenceStore> => {
      triedAtMs.push(clock.nowMs())
      const answer = answers.shift()
      if (answer === undefined || ChatError.is(answer)) throw answer
      return answer
    }
    const store = new AwaitedStore({ ...LIMITS, open, clock, logger })
    await store.tried
    expect(store.isOpen).toBe(false)
    await expect(store.nodes()).rejects.toMatchObject({ code: 'UNAVAILABLE', description: 'refused' })
    for (let n = 0; n < 3; n++) {
      await settle()
      clock.advance(75 * 2 ** n)
    }
    await store.opened
    expect(triedAtMs).toEqual([0, 75, 225, 525])
    expect(await store.nodes()).toEqual([])
    expect(logger.messages('warn')).toEqual(Array(2).fill('waiting for the presence store'))
    expect(logger.messages('info')).toEqual(['the presence store is there'])
    await store.close()
  })

  it('rejects with what waiting does not help against', async () => {
    const wrong = away('REDIS_URL is wrong', false)
    const open = (): Promise<PresenceStore> => Promise.reject(wrong)
    const store = new AwaitedStore({
      ...LIMITS,
      open,
      clock: manualClock(0),
      logger: recordingLogger(),
    })
    await expect(store.tried).rejects.toBe(wrong)
    await expect(store.opened).rejects.toBe(wrong)
  })

  it('ends when it is closed, and closes what comes later', async () => {
    const late = Promise.withResolvers<PresenceStore>()
    const store = new AwaitedStore({
      ...LIMITS,
      open: () => late.promise,
      clock: manualClock(0),
      logger: recordingLogger(),
    })
    await store.close()
    const opened = memoryPresenceStore()
    let isClosed = false
    late.resolve({
      ...opened,
      close: async () => {
        isClosed = true
      },
    })
    await expect(store.opened).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(isClosed).toBe(true)
  })
})
