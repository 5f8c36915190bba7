import type { Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'
import type { AttachmentStoreHarness } from './attachment-store-harness.ts'
import { openRules } from './open-rules.ts'
import { putRules } from './put-rules.ts'

/** A1–A10 put · A11–A15 find, open and remove · A16–A20 faults, close and reopen. */
export const attachmentStoreRules: readonly Rule<AttachmentStoreHarness>[] = [...putRules, ...openRules]

/** Declares a test for each promise of `AttachmentStore`. */
export function testAttachmentStore(options: SuiteOptions<AttachmentStoreHarness>): void {
  testRules('AttachmentStore', attachmentStoreRules, options)
}
