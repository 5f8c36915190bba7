import type { Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'
import { appendRules } from './append-rules.ts'
import type { ChatLogHarness } from './chat-log-harness.ts'
import { consumeRules } from './consume-rules.ts'
import { followRules } from './follow-rules.ts'
import { leaveRules } from './leave-rules.ts'
import { chatLogLifeRules } from './life-rules.ts'

/** L1–L14 append and ranges · L15–L24 follow · L25–L35 consume · L36–L42 close and reopen · L43–L46 leave and begin. */
export const chatLogRules: readonly Rule<ChatLogHarness>[] = [
  ...appendRules,
  ...followRules,
  ...consumeRules,
  ...chatLogLifeRules,
  ...leaveRules,
]

/** Declares a test for each promise of `ChatLog`. */
export function testChatLog(options: SuiteOptions<ChatLogHarness>): void {
  testRules('ChatLog', chatLogRules, options)
}
