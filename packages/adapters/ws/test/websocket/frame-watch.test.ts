import { describe, expect, it } from 'vitest'
import { FrameWatch } from '../../src/websocket/frame-watch.ts'
import { clientFrame } from '../raw-socket.ts'
import { Seeded } from '../seeded.ts'

const SEED = 20_261_122
/** For machines that are busy with other things; it takes under a second. */
const FUZZ_TIMEOUT_MS = 60_000

describe('following the frames of a client', () => {
  it('T5.4: a message is under way from its first byte to its last, wherever it is cut', () => {
    for (const size of [0, 1, 125, 126, 300, 65_536]) {
      const frame = clientFrame('x'.repeat(size))
      const cuts =
        size > 1000 ? [1, 2, 9, 10, 13, 14, 15, frame.length - 1] : [...frame.keys()].filter(cut => cut > 0)
      for (const cut of cuts) {
        const watch = new FrameWatch()
        expect(watch.advance(frame.subarray(0, cut))).toBe(false)
        expect(watch.inMessage).toBe(true)
        expect(watch.advance(frame.subarray(cut))).toBe(true)
        expect(watch.inMessage).toBe(false)
      }
    }
  })

  it('T5.4: a fragmented message is under way until its final frame, pings between them or not', () => {
    const watch = new FrameWatch()
    watch.advance(clientFrame('a', { isFinal: false }))
    expect(watch.inMessage).toBe(true)
    expect(watch.advance(clientFrame('', { opcode: 9 }))).toBe(false)
    expect(watch.inMessage).toBe(true)
    expect(watch.advance(clientFrame('b', { opcode: 0 }))).toBe(true)
    expect(watch.inMessage).toBe(false)
  })

  it(
    'T5.4: any cutting of 20,000 random frames finds the same ends',
    () => {
      const random = new Seeded(SEED)
      const watch = new FrameWatch()
      for (let round = 0; round < 200; round += 1) {
        const frames = Array.from({ length: 100 }, () =>
          clientFrame(random.bytes(random.below(random.below(10) === 0 ? 400 : 20)), {
            opcode: [1, 2, 9, 10][random.below(4)] ?? 1,
          }),
        )
        const bytes = Buffer.concat(frames)
        const ends = new Set<number>()
        let end = 0
        for (const frame of frames) {
          end += frame.length
          ends.add(end)
        }
        for (let at = 0; at < bytes.length; ) {
          const next = Math.min(bytes.length, at + 1 + random.below(60))
          const isEndInside = [...ends].some(position => position > at && position <= next)
          const hasEnded = watch.advance(bytes.subarray(at, next))
          if (hasEnded !== isEndInside || watch.inMessage === ends.has(next)) {
            throw new Error(`seed ${SEED}, round ${round}, byte ${at}`)
          }
          at = next
        }
      }
    },
    FUZZ_TIMEOUT_MS,
  )

  it(
    'T5.4: random bytes never break it',
    () => {
      const random = new Seeded(SEED)
      for (let round = 0; round < 20_000; round += 1) {
        const watch = new FrameWatch()
        for (let chunk = 0; chunk < 3; chunk += 1) watch.advance(random.bytes(random.below(30)))
        if (typeof watch.inMessage !== 'boolean') throw new Error(`seed ${SEED}, round ${round}`)
      }
    },
    FUZZ_TIMEOUT_MS,
  )
})
