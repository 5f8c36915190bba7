import type { OwnSubscription } from './own-subscription.ts'
import type { RoomSubscription } from './room-subscription.ts'

export type ChatSubscription = RoomSubscription | OwnSubscription
