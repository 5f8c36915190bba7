import { holdingOf } from '@sgs-chat/core'

/** Presence switched off, and each link that keeps a lease, in the order of the tables. */
export const PRESENCES = ['off', 'tcp', 'grpc'] as const
export type Presence = (typeof PRESENCES)[number]

/** What happens in one run. */
export interface PresenceLoad {
  /** Sessions that enter a room and leave it again. */
  readonly visitors: number
  /** `subscribe`: on connections that stay open. `connect`: each connects to enter, and closes its connection to leave. */
  readonly visit: 'subscribe' | 'connect'
  readonly movesPerSecond: number
  /** How long all of them are in their rooms. */
  readonly holdMs: number
  /** The chat beside them. */
  readonly rooms: number
  readonly membersPerRoom: number
  readonly deliveriesPerSecond: number
  readonly warmUpMs: number
}

export const FULL_LOAD: PresenceLoad = {
  visitors: 10_000,
  visit: 'subscribe',
  movesPerSecond: 2_000,
  holdMs: 2_000,
  rooms: 20,
  membersPerRoom: 50,
  deliveriesPerSecond: 20_000,
  warmUpMs: 1_500,
}

const FIRST_VISITED_ROOM = 1_001
const VISITED_ROOMS = 100

/** One user in one room: who is there is a list of these. */
export interface Place {
  readonly userId: string
  readonly roomId: number
}

export function visitorPlace(visitor: number): Place {
  return { userId: `visitor-${visitor}`, roomId: FIRST_VISITED_ROOM + (visitor % VISITED_ROOMS) }
}

/** Where the writers and readers of the chat are, as `FanoutLoad` seats them. */
export function chatPlaces({ rooms, membersPerRoom }: PresenceLoad): Place[] {
  return Array.from({ length: rooms * membersPerRoom }, (_, index) => ({
    userId: `user-${index}`,
    roomId: 1 + Math.floor(index / membersPerRoom),
  }))
}

/** The same for the same places, whatever their order; cheap, since it is made beside the load. */
export function digestOf(places: readonly Place[]): string {
  return holdingOf(places.map(({ userId, roomId }) => ({ sessionId: userId, number: roomId }))).digest
}

export type ToStateServer = { readonly type: 'who' }

export type FromStateServer =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'who'; readonly count: number; readonly digest: string }
