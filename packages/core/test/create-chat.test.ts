import { createChat } from '@sgs-chat/core'
import { expect, it } from 'vitest'
import { nowhere, plainIds } from './simulation/plain-ports.ts'
import { SteppedClock } from './simulation/stepped-clock.ts'
import { SteppedHistory } from './simulation/stepped-history.ts'
import { SteppedLog } from './simulation/stepped-log.ts'

it('a node that cannot archive does not begin, and follows nothing any more', async () => {
  const log = new SteppedLog(1)
  log.consume = () => Promise.reject(new Error('no right to join the group'))
  const clock = new SteppedClock()
  const created = createChat({ log, history: new SteppedHistory(), presence: nowhere, clock, ids: plainIds })
  await expect(created).rejects.toThrow('no right to join the group')
  log.writeUnknown(0)
  expect(log.deliver(0, 1)).toBe(false)
})
