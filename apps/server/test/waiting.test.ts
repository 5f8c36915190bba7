import { manualClock, recordingLogger } from '@sgs-chat/contract/fakes'
import { ChatError, type Closeable } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { Waiting } from '../src/waiting.ts'

const LOG = { what: 'the log', setting: 'KAFKA_BROKERS' }

function away(description: string): ChatError {
  return new ChatError('UNAVAILABLE', description, { details: { waitsFor: 'KAFKA_BROKERS' } })
}

function part(): Closeable & { isClosed: boolean } {
  const opened = {
    isClosed: false,
    close: async () => {
      opened.isClosed = true
    },
    [Symbol.asyncDispose]: () => opened.close(),
  }
  return opened
}

function waits() {
  const clock = manualClock(0)
  const logger = recordingLogger()
  const limits = { retryMs: 100, retryMaxMs: 400, listenAfterMs: 60_000 }
  // Half of the jitter's range: three quarters of each wait.
  return { clock, logger, waiting: new Waiting({ clock, logger, ...limits, random: () => 0.5 }) }
}

/** Lets everything run that waits for nothing but promises. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('C6: waiting', () => {
  it('tries again with growing waits, says each change once, and opens what is back', async () => {
    const { clock, logger, waiting } = waits()
    const answers: (ChatError | Closeable)[] = [away('refused'), away('refused'), away('no leader'), part()]
    const triedAtMs: number[] = []
    const opening = waiting.open(LOG, async () => {
      triedAtMs.push(clock.nowMs())
      const answer = answers.shift()
      if (answer === undefined || ChatError.is(answer)) throw answer
      return answer
    })
    await waiting.begun
    expect(waiting.reasons()).toEqual(['the log (KAFKA_BROKERS)'])
    for (let n = 0; n < 3; n++) {
      await settle()
      clock.advance(75 * 2 ** n)
    }
    await opening
    expect(triedAtMs).toEqual([0, 75, 225, 525])
    expect(waiting.reasons()).toEqual([])
    expect(logger.messages('warn')).toEqual(['waiting for the log', 'waiting for the log'])
    expect(logger.messages('info')).toEqual(['the log is there'])
  })

  it('rejects with what waiting does not help against', async () => {
    const { waiting } = waits()
    const wrong = new ChatError('UNAVAILABLE', 'KAFKA_PASSWORD is wrong', { retryable: false })
    await expect(waiting.open(LOG, () => Promise.reject(wrong))).rejects.toBe(wrong)
  })

  it('counts a start that takes long as waiting', async () => {
    const { clock, waiting } = waits()
    void waiting.open(LOG, () => new Promise<Closeable>(() => undefined))
    clock.advance(60_000)
    await waiting.begun
  })

  it('ends at once when it is told to, and closes what comes later', async () => {
    const { waiting } = waits()
    const late = Promise.withResolvers<Closeable>()
    const opening = waiting.open(LOG, () => late.promise)
    const resting = waiting.open({ what: 'the files' }, () => Promise.reject(away('refused')))
    await waiting.begun
    const reason = new Error('stopping')
    waiting.end(reason)
    await expect(opening).rejects.toBe(reason)
    await expect(resting).rejects.toBe(reason)
    const opened = part()
    late.resolve(opened)
    await settle()
    expect(opened.isClosed).toBe(true)
  })
})
