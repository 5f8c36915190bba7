import { testClock, testIds, testLogger, testMeter } from '@sgs-chat/contract'
import {
  manualClock,
  recordingLogger,
  recordingMeter,
  seededIds,
  seededRandom,
} from '@sgs-chat/contract/fakes'
import { silentLogger } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'

const dispose = async (): Promise<void> => undefined

for (const way of ['advance', 'advanceAsync'] as const) {
  testClock({
    name: `manual, ${way}`,
    create: async () => {
      const clock = manualClock()
      return { clock, advance: async ms => clock[way](ms), dispose }
    },
  })
}

testIds({
  name: 'seeded',
  create: async () => ({ ids: seededIds(7), openAnother: async () => seededIds(8), dispose }),
})

testMeter({
  name: 'recording',
  create: async () => {
    const meter = recordingMeter()
    return {
      meter,
      value: async (name, labels) => meter.value(name, labels),
      recordedCount: async name => meter.recorded(name).length,
      dispose,
    }
  },
})

testLogger({
  name: 'recording',
  create: async () => {
    const logger = recordingLogger()
    return {
      logger,
      lines: async () => logger.lines,
      dispose,
    }
  },
})

testLogger({
  name: 'silent',
  create: async () => ({ logger: silentLogger, dispose }),
  skip: ['LG1', 'LG2', 'LG3', 'LG4'].map(rule => ({ rule, why: 'it says nothing' })),
})

describe('manualClock', () => {
  it('runs each timer at its own time, equal ones in the order they were set, and those set meanwhile', () => {
    const clock = manualClock(1_000)
    const ran: string[] = []
    const note = (name: string) => (): void => void ran.push(`${name} at ${clock.nowMs()}`)
    clock.after(20, note('b'))
    clock.after(10, () => {
      note('a')()
      clock.after(5, note('nested'))
    })
    clock.after(20, note('c'))
    clock.after(50, note('later'))
    expect(clock.nextDueMs).toBe(10)
    clock.advance(30)
    expect(ran).toEqual(['a at 1010', 'nested at 1015', 'b at 1020', 'c at 1020'])
    expect([clock.nowMs(), clock.pending, clock.nextDueMs]).toEqual([1_030, 1, 20])
  })

  it('lets promises run between timers when it is advanced asynchronously', async () => {
    const clock = manualClock(0)
    const wait = (ms: number): Promise<void> =>
      new Promise(resolve => {
        clock.after(ms, resolve)
      })
    const times: number[] = []
    const run = async (): Promise<void> => {
      for (let count = 0; count < 3; count++) {
        await wait(10)
        times.push(clock.nowMs())
      }
    }
    const running = run()
    await clock.advanceAsync(30)
    await running
    expect(times).toEqual([10, 20, 30])
  })

  it('steps the time without running or moving a timer', () => {
    const clock = manualClock(1_000)
    let ranAt = 0
    clock.after(10, () => {
      ranAt = clock.nowMs()
    })
    clock.step(-500)
    expect([clock.nowMs(), ranAt]).toEqual([500, 0])
    clock.advance(10)
    expect(ranAt).toBe(510)
    expect(() => clock.after(-1, () => undefined)).toThrow(RangeError)
    expect(() => clock.advance(-1)).toThrow(RangeError)
  })
})

describe('seededRandom', () => {
  it('repeats itself for a seed, and differs for another', () => {
    const draw = (seed: number): readonly number[] => {
      const random = seededRandom(seed)
      return Array.from({ length: 20 }, () => random.next())
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(draw(3).every(number => number >= 0 && number < 1)).toBe(true)
  })

  it('draws integers of the whole range, picks, and shuffles into a new list', () => {
    const random = seededRandom(5)
    const drawn = new Set(Array.from({ length: 500 }, () => random.int(-2, 3)))
    expect([...drawn].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3])
    const items = Object.freeze(Array.from({ length: 50 }, (_, index) => index))
    const shuffled = random.shuffle(items)
    expect(shuffled).not.toEqual(items)
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items)
    expect(items).toContain(random.pick(items))
    expect(() => random.pick([])).toThrow(RangeError)
    expect(random.bytes(16)).toHaveLength(16)
  })
})

describe('seededIds', () => {
  it('repeats itself for a seed', () => {
    const [one, two] = [seededIds(4), seededIds(4)]
    expect([one.next(5), one.random(), one.next(5)]).toEqual([two.next(5), two.random(), two.next(5)])
  })
})

describe('recordingLogger', () => {
  it('answers the messages of a level, and forgets', () => {
    const logger = recordingLogger()
    logger.warn('one', { a: 1 })
    logger.info('two')
    expect(logger.messages('warn')).toEqual(['one'])
    logger.clear()
    expect(logger.lines).toEqual([])
  })
})
