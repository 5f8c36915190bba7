import { closedStoreError, OpenFiles } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { SteppedClock, settle } from '../simulation/stepped-clock.ts'

describe('OpenFiles', () => {
  it('lets as many files be used as it may, and refuses one more as retryable', async () => {
    const files = new OpenFiles({ max: 2 })
    const giveBack = files.take()
    const work = Promise.withResolvers<string>()
    const held = files.holding(() => work.promise)
    expect(() => files.take()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE', retryable: true }))
    await expect(files.holding(async () => 'never')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    giveBack()
    files.take()()
    work.resolve('done')
    expect(await held).toBe('done')
  })

  it('gives a file back when its work fails', async () => {
    const files = new OpenFiles({ max: 1 })
    await expect(files.writing(() => Promise.reject(new Error('disk')))).rejects.toThrow('disk')
    expect(await files.writing(async () => 'written')).toBe('written')
  })

  it('calls pass until it is closed, and never with a signal that is aborted', async () => {
    const files = new OpenFiles({ max: 1 })
    files.pass()
    const { signal } = new AbortController()
    files.pass({ signal })
    expect(() => files.pass({ signal: AbortSignal.abort(new Error('given up')) })).toThrow('given up')
    await files.drain(new SteppedClock(), 10)
    expect(() => files.pass()).toThrow(closedStoreError().message)
  })

  it('drains what is being written, for as long as it may take', async () => {
    const clock = new SteppedClock()
    const files = new OpenFiles({ max: 2 })
    const work = Promise.withResolvers<void>()
    const written = files.writing(() => work.promise)
    let drains = 0
    const drained = () => {
      drains += 1
    }
    void files.drain(clock, 100).then(drained)
    void files.drain(clock, 1_000).then(drained)
    await clock.advance(99)
    expect(drains).toBe(0)
    await clock.advance(1)
    expect(drains).toBe(1)
    work.resolve()
    await written
    await files.settled()
    await settle()
    expect(drains).toBe(2)
  })
})
