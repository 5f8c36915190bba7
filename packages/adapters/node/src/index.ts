export { type SystemClockOptions, systemClock } from './system-clock.ts'
export { systemIds } from './system-ids.ts'
