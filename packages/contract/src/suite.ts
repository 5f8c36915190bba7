import { describe, it } from 'vitest'
import { DEFAULT_DEADLINE_MS, type Harness, type Rule, type RunOptions, ruleTitle, runRule } from './rule.ts'

/** A rule that an adapter cannot keep, and the reason, which is printed. */
export interface Skip {
  readonly rule: string
  readonly why: string
}

export interface SuiteOptions<H extends Harness> extends RunOptions {
  /** The adapter, as it stands in the titles. */
  readonly name: string
  /** Called for each rule; the harness is disposed of after it. */
  readonly create: () => Promise<H>
  readonly skip?: readonly Skip[]
}

/** Declares one test for each rule. @throws Error for a skip of a rule that does not exist, twice, or without a reason */
export function testRules<H extends Harness>(
  port: string,
  rules: readonly Rule<H>[],
  options: SuiteOptions<H>,
): void {
  const { name, create, skip = [], deadlineMs = DEFAULT_DEADLINE_MS } = options
  const reasons = skipReasons(rules, skip)
  describe(`${port} contract: ${name}`, () => {
    for (const rule of rules) {
      const why = reasons.get(rule.id)
      if (why === undefined) {
        // The rule's own deadline comes first: it says what was waited for.
        it(ruleTitle(rule), { timeout: deadlineMs * 3 }, () => runRule(rule, create, options))
        continue
      }
      it(ruleTitle(rule), context => {
        process.stderr.write(`${port} contract: ${name}: ${rule.id} is skipped: ${why}\n`)
        context.skip(why)
      })
    }
  })
}

/** @throws Error */
export function skipReasons(
  rules: readonly Pick<Rule<never>, 'id'>[],
  skip: readonly Skip[],
): ReadonlyMap<string, string> {
  const ids = new Set(rules.map(({ id }) => id))
  const reasons = new Map<string, string>()
  for (const { rule, why } of skip) {
    if (!ids.has(rule)) throw new Error(`there is no rule ${rule} to skip`)
    if (reasons.has(rule)) throw new Error(`rule ${rule} is skipped twice`)
    if (why.trim() === '') throw new Error(`rule ${rule} is skipped without a reason`)
    reasons.set(rule, why)
  }
  return reasons
}
