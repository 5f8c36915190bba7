import type { Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'
import type { ChatHistoryHarness } from './chat-history-harness.ts'
import { readRules } from './read-rules.ts'
import { saveRules } from './save-rules.ts'
import { watermarkRules } from './watermark-rules.ts'

/** H1–H11 read and find · H12–H21 save · H22–H26 the watermark · H27–H30 close and reopen. */
export const chatHistoryRules: readonly Rule<ChatHistoryHarness>[] = [
  ...readRules,
  ...saveRules,
  ...watermarkRules,
]

/** Declares a test for each promise of `ChatHistory`. */
export function testChatHistory(options: SuiteOptions<ChatHistoryHarness>): void {
  testRules('ChatHistory', chatHistoryRules, options)
}
