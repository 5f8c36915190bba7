export type { AttachmentStoreHarness } from './attachment-store/attachment-store-harness.ts'
export { attachmentStoreRules, testAttachmentStore } from './attachment-store/test-attachment-store.ts'
export type { ChatHistoryHarness } from './chat-history/chat-history-harness.ts'
export { chatHistoryRules, testChatHistory } from './chat-history/test-chat-history.ts'
export type { ChatLogHarness } from './chat-log/chat-log-harness.ts'
export { chatLogRules, testChatLog } from './chat-log/test-chat-log.ts'
export { type ClockHarness, clockRules, testClock } from './clock/clock-rules.ts'
export { type IdsHarness, idsRules, testIds } from './ids/ids-rules.ts'
export { type LoggedLine, type LoggerHarness, loggerRules, testLogger } from './logger/logger-rules.ts'
export { type MeterHarness, meterRules, testMeter } from './meter/meter-rules.ts'
export {
  type PresenceStoreHarness,
  presenceStoreRules,
  testPresenceStore,
} from './presence/presence-store-rules.ts'
export {
  type SessionPresenceHarness,
  sessionPresenceRules,
  testSessionPresence,
} from './presence/session-presence-rules.ts'
export {
  type AccessQuestion,
  type RoomAccessHarness,
  roomAccessRules,
  testRoomAccess,
} from './room-access/room-access-rules.ts'
export {
  failingRules,
  type Harness,
  type Rule,
  type RuleContext,
  type RunOptions,
  ruleTitle,
  runRule,
} from './rule.ts'
export { type Skip, type SuiteOptions, skipReasons, testRules } from './suite.ts'
export {
  type TokenClaims,
  type TokenVerifierHarness,
  testTokenVerifier,
  tokenVerifierRules,
} from './token-verifier/token-verifier-rules.ts'
