import { ChatError, ReportBatches, type SessionReport, userId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { SteppedClock, settle } from '../simulation/stepped-clock.ts'

const EVERY_MS = 20

function reportOf(sessionId: string): SessionReport {
  return { sessionId, userId: userId('alice'), number: 1, session: { state: 'gone' } }
}

class Requests {
  readonly clock = new SteppedClock()
  readonly sent: string[] = []
  /** What the registry does with a request. */
  answer: (sessions: readonly string[]) => void = () => undefined
  readonly batches = new ReportBatches({
    clock: this.clock,
    everyMs: EVERY_MS,
    maxReports: 3,
    send: async reports => {
      const sessions = reports.map(({ sessionId }) => sessionId)
      this.sent.push(sessions.join())
      this.answer(sessions)
    },
  })

  /** What became of each report, once all are answered. */
  async tell(...sessions: string[]): Promise<string[]> {
    const told = Promise.allSettled(sessions.map(session => this.batches.report(reportOf(session))))
    await this.clock.advance(10 * EVERY_MS)
    return (await told).map(one => (one.status === 'rejected' ? String(one.reason.code) : 'told'))
  }
}

describe('reports in batches', () => {
  it('the first goes out at once, what comes within the moment after it together', async () => {
    const { batches, sent, clock } = new Requests()
    const told = ['a', 'b', 'c'].map(session => batches.report(reportOf(session)))
    expect(sent).toEqual(['a'])
    await clock.advance(EVERY_MS - 1)
    expect(sent).toEqual(['a'])
    await clock.advance(1)
    expect(sent).toEqual(['a', 'b,c'])
    await Promise.all(told)
    await clock.advance(EVERY_MS)
    void batches.report(reportOf('d'))
    expect(sent).toEqual(['a', 'b,c', 'd'])
  })

  it('a request that is full waits for nothing', async () => {
    const requests = new Requests()
    void Promise.all(['a', 'b', 'c', 'd', 'e'].map(session => requests.batches.report(reportOf(session))))
    expect(requests.sent).toEqual(['a', 'b,c,d'])
    await requests.clock.advance(EVERY_MS)
    expect(requests.sent).toEqual(['a', 'b,c,d', 'e'])
  })

  it('one that the registry refuses takes no other with it', async () => {
    const requests = new Requests()
    requests.answer = sessions => {
      if (sessions.includes('bad')) throw new ChatError('INVALID_MESSAGE_FORMAT', 'not an id')
    }
    expect(await requests.tell('a', 'good', 'bad')).toEqual(['told', 'told', 'INVALID_MESSAGE_FORMAT'])
    expect(requests.sent).toEqual(['a', 'good,bad', 'good', 'bad'])
  })

  it('when the way to the registry is at fault all are rejected, and not told one by one', async () => {
    const requests = new Requests()
    requests.answer = () => {
      throw new ChatError('TCP_CONNECTION_FAILED', 'away')
    }
    expect(await requests.tell('a', 'b', 'c')).toEqual(
      Array.from({ length: 3 }, () => 'TCP_CONNECTION_FAILED'),
    )
    expect(requests.sent).toEqual(['a', 'b,c'])
  })

  it('a report that is given up rejects with its reason, and closing sends what waits', async () => {
    const { batches, sent } = new Requests()
    const given = new AbortController()
    void batches.report(reportOf('a'))
    const told = batches.report(reportOf('b'), { signal: given.signal })
    given.abort(new Error('given up'))
    await expect(told).rejects.toThrow('given up')
    await expect(batches.report(reportOf('c'), { signal: given.signal })).rejects.toThrow('given up')
    batches.close()
    expect(sent).toEqual(['a', 'b'])
    await settle()
  })
})
