import { userId } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { withDefaultHttpLimits } from '../src/http-limits.ts'
import { Slots } from '../src/slots.ts'

describe('Slots', () => {
  it('gives a slot back once, however often it is asked to', () => {
    const slots = new Slots({ what: 'things', max: 2, maxPerUser: 1 })
    const [a, b, c] = [userId('a'), userId('b'), userId('c')]
    const release = slots.take(a)
    expect(() => slots.take(a)).toThrow('CHAT-006')
    slots.take(b)
    expect(() => slots.take(c)).toThrow('CHAT-034')
    release()
    release()
    slots.take(a)
    expect(() => slots.take(c)).toThrow('CHAT-034')
  })
})

describe('limits', () => {
  it('are integers of at least one, under known names', () => {
    expect(withDefaultHttpLimits({ maxUploads: 1 }).maxUploads).toBe(1)
    expect(() => withDefaultHttpLimits({ maxUploads: 0 })).toThrow(RangeError)
    expect(() => withDefaultHttpLimits({ maxUpload: 1 } as never)).toThrow(RangeError)
  })
})
