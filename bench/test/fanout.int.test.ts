import { describe, expect, it } from 'vitest'
import { CONTESTANTS } from '../src/contestants.ts'
import { measureFanout } from '../src/fanout/measure-fanout.ts'

const MEMBERS = 5
const MESSAGES = 50

/** Whether the bench measures what it says, not how fast anything is. */
describe('fanout bench', () => {
  it.each(CONTESTANTS)('%s delivers every message once and in order to every member', async contestant => {
    const outcome = await measureFanout(contestant, {
      rooms: 2,
      membersPerRoom: MEMBERS,
      publishersPerRoom: 2,
      bodyBytes: 200,
      load: { kind: 'counted', messages: MESSAGES, inFlight: 3 },
    })
    expect(outcome).toMatchObject({
      published: MESSAGES,
      received: MESSAGES * MEMBERS,
      deliveries: MESSAGES * MEMBERS,
      lost: 0,
      doubled: 0,
      outOfOrder: 0,
    })
    expect(outcome.bodyBytes).toBeGreaterThan(150)
  })
})
