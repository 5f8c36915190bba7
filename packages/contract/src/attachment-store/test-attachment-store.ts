import type { Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'
import type { AttachmentStoreHarness } from './attachment-store-harness.ts'
import { openRules } from './open-rules.ts'
import { directRules, pendingRules } from './pending-rules.ts'
import { putRules } from './put-rules.ts'

/** A1–A10 put · A11–A15 find, open and remove · A16–A20 faults, close and reopen · A21–A25 pending uploads · A26–A27 links and forms. */
export const attachmentStoreRules: readonly Rule<AttachmentStoreHarness>[] = [
  ...putRules,
  ...openRules,
  ...pendingRules,
  ...directRules,
]

/** Declares a test for each promise of `AttachmentStore`. */
export function testAttachmentStore(options: SuiteOptions<AttachmentStoreHarness>): void {
  testRules('AttachmentStore', attachmentStoreRules, options)
}
