import { failingRules, type Harness, type Rule } from '@sgs-chat/contract'
import { expect, it } from 'vitest'

/** One deliberate breakage, and the rules that must notice it; others may. */
export interface Breakage<H extends Harness> {
  readonly what: string
  readonly create: () => Promise<H>
  readonly caughtBy: readonly string[]
}

const IMPATIENT = { patienceMs: 150, deadlineMs: 1_500 }

/** Runs the rules that must catch each breakage, on the broken adapter: every one has to fail. */
export function expectBroken<H extends Harness>(
  rules: readonly Rule<H>[],
  breakages: readonly Breakage<H>[],
): void {
  it.each(breakages)('catches one that $what', async ({ create, caughtBy }) => {
    const chosen = rules.filter(({ id }) => caughtBy.includes(id))
    expect(chosen.map(({ id }) => id)).toEqual(caughtBy)
    const failures = await failingRules(chosen, create, IMPATIENT)
    expect([...failures.keys()]).toEqual(caughtBy)
    for (const [id, error] of failures) {
      expect(String(error), id).not.toMatch(/the harness offers no|dispose/)
    }
  })
}
