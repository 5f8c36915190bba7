import type { OwnSubscription } from './own-subscription.ts'
import type { PresenceSubscription } from './presence-subscription.ts'
import type { RoomSubscription } from './room-subscription.ts'

export type ChatSubscription = RoomSubscription | PresenceSubscription | OwnSubscription
