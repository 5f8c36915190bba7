import assert from 'node:assert/strict'

/** How patient a rule is with the adapter it looks at. */
export interface RuleContext {
  /** How long something that must happen may take, in milliseconds. */
  readonly patienceMs: number
}

/** One observable promise of a port. It is data, so that it runs in any test runner, or in none. */
export interface Rule<H> {
  /** The port's prefix and a number: never reused for another promise. */
  readonly id: string
  /** The rule of docs/SPEC.md that this one comes from. */
  readonly spec?: string
  readonly title: string
  /** Rejects when the promise is not kept. */
  run(harness: H, context: RuleContext): Promise<void>
}

/** What every harness has: the end of it. */
export interface Harness {
  readonly dispose: () => Promise<void>
}

export interface RunOptions {
  /** @default 5_000 */
  readonly patienceMs?: number
  /** After this a rule that has not ended has failed. @default 30_000 */
  readonly deadlineMs?: number
}

const DEFAULT_PATIENCE_MS = 5_000
export const DEFAULT_DEADLINE_MS = 30_000

export function ruleTitle({ id, spec, title }: Pick<Rule<never>, 'id' | 'spec' | 'title'>): string {
  return spec === undefined ? `${id}: ${title}` : `${id} (${spec}): ${title}`
}

/** Runs one rule on a harness of its own. Rejects when the rule is not kept. */
export async function runRule<H extends Harness>(
  rule: Rule<H>,
  create: () => Promise<H>,
  options: RunOptions = {},
): Promise<void> {
  const { patienceMs = DEFAULT_PATIENCE_MS, deadlineMs = DEFAULT_DEADLINE_MS } = options
  const harness = await create()
  try {
    await within(rule.run(harness, { patienceMs }), deadlineMs, ruleTitle(rule))
  } finally {
    await within(harness.dispose(), deadlineMs, `${rule.id}: dispose`)
  }
}

/** Runs rules one after the other. @returns those that are not kept, by id, with why */
export async function failingRules<H extends Harness>(
  rules: readonly Rule<H>[],
  create: () => Promise<H>,
  options: RunOptions = {},
): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>()
  for (const rule of rules) {
    await runRule(rule, create, options).catch(error => failures.set(rule.id, error))
  }
  return failures
}

/** What a rule needs of its harness, which not every harness can offer. */
export function need<H, K extends keyof H & string>(harness: H, name: K): NonNullable<H[K]> {
  const offered = harness[name]
  assert.ok(
    offered !== undefined && offered !== null,
    `the harness offers no ${name}: offer it, or skip the rule with a reason`,
  )
  return offered
}

/** Rejects when `promise` takes longer than `limitMs`. */
export async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timeout: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timeout = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timeout)
  }
}
