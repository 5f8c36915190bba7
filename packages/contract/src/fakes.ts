export { type ManualClock, manualClock } from './fakes/manual-clock.ts'
export { type LogLine, type RecordingLogger, recordingLogger } from './fakes/recording-logger.ts'
export { seededIds } from './fakes/seeded-ids.ts'
export { type SeededRandom, seededRandom } from './fakes/seeded-random.ts'
