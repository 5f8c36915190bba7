import type { FanoutRun, Load } from './fanout-run.ts'

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly run: Pick<FanoutRun, 'rooms' | 'membersPerRoom' | 'publishersPerRoom' | 'bodyBytes' | 'load'>
}

export interface Durations {
  readonly warmUpMs: number
  readonly windowMs: number
  readonly pacedWindowMs: number
}

/**
 * The warm-up lasts until V8 has compiled what is hot: with 2 s, compiling was up to a sixth of a server's CPU in the
 * window (`perf record`, all threads), the more the more code a contestant has. What is measured is a server that runs.
 */
export const FULL_DURATIONS: Durations = { warmUpMs: 8_000, windowMs: 3_000, pacedWindowMs: 6_000 }
export const QUICK_DURATIONS: Durations = { warmUpMs: 4_000, windowMs: 1_500, pacedWindowMs: 3_000 }

const PACED_DELIVERIES_PER_SECOND = 1_000
/**
 * Enough in flight to saturate every contestant's core, and not more: a deeper loop only makes the batches longer, which
 * flatters those that batch. About 8 messages are then in a tick of the batched server for the one room, 3 for each of
 * the many.
 */
const ONE_ROOM = { rooms: 1, membersPerRoom: 500, publishersPerRoom: 4 } as const
const ONE_ROOM_IN_FLIGHT = 2
const MANY_ROOMS = { rooms: 100, membersPerRoom: 10, publishersPerRoom: 1 } as const
const MANY_ROOMS_IN_FLIGHT = 3

const BODY_BYTES = 200

export interface ScenarioOptions {
  readonly durations: Durations
  readonly bodyBytes?: number | undefined
  readonly inFlight?: number | undefined
}

export function fanoutScenarios(options: ScenarioOptions): Scenario[] {
  const { durations, bodyBytes = BODY_BYTES } = options
  const { warmUpMs, windowMs, pacedWindowMs } = durations
  const ofOneRoom = options.inFlight ?? ONE_ROOM_IN_FLIGHT
  const ofManyRooms = options.inFlight ?? MANY_ROOMS_IN_FLIGHT
  const saturating = (inFlight: number): Load => ({ kind: 'saturating', inFlight, warmUpMs, windowMs })
  const paced = (inFlight: number): Load => ({
    kind: 'paced',
    deliveriesPerSecond: PACED_DELIVERIES_PER_SECOND,
    inFlight,
    warmUpMs,
    windowMs: pacedWindowMs,
  })
  return [
    {
      name: '1x500',
      title: `1 room × 500, saturating (${ONE_ROOM.publishersPerRoom} publishers × ${ofOneRoom} in flight)`,
      run: { ...ONE_ROOM, bodyBytes, load: saturating(ofOneRoom) },
    },
    {
      name: '100x10',
      title: `100 rooms × 10, saturating (${MANY_ROOMS.rooms} publishers × ${ofManyRooms} in flight)`,
      run: { ...MANY_ROOMS, bodyBytes, load: saturating(ofManyRooms) },
    },
    {
      name: '1x500-paced',
      title: '1 room × 500, paced at 1,000 deliveries/s',
      run: { ...ONE_ROOM, bodyBytes, load: paced(ofOneRoom) },
    },
    {
      name: '100x10-paced',
      title: '100 rooms × 10, paced at 1,000 deliveries/s',
      run: { ...MANY_ROOMS, bodyBytes, load: paced(ofManyRooms) },
    },
  ]
}
