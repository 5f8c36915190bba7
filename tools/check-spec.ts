/** Holds that every rule of docs/SPEC.md is quoted by a test's title, and that no title quotes a rule that is not there. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const spec = readFileSync(join(root, 'docs/SPEC.md'), 'utf8')
const rules = [...spec.matchAll(/^- \*\*([A-Z]+\d+(?:\.\d+)?)\*\*/gm)].flatMap(match => match[1] ?? [])
const groups = new Set(rules.map(groupOf))

function groupOf(rule: string): string {
  return rule.replace(/\d.*$/, '')
}

/** Ids at the start of a title, in front of its colon: `G3.2: …`, `G6, G3.2: …`, `L4 (G1.3): …`. */
function quotedBy(source: string): string[] {
  const titles = source.matchAll(/['"`]([A-Z]+\d+(?:\.\d+)?(?:[ ,()]+[A-Z]+\d+(?:\.\d+)?)*\)?):/g)
  return [...titles].flatMap(match => match[1]?.match(/[A-Z]+\d+(?:\.\d+)?/g) ?? [])
}

function filesIn(patterns: readonly string[]): string[] {
  return globSync(patterns, { cwd: root, exclude: path => path.includes('node_modules') })
}

/** The suites of packages/contract have rules of their own, and quote those of the specification by their dotted numbers. */
const suites = filesIn(['packages/contract/src/**/*.ts'])
const tests = filesIn([
  'packages/**/test/**/*.test.ts',
  'apps/*/test/**/*.test.ts',
  // Played over each profile by two test files.
  'apps/web/test/life/page-life.ts',
  'examples/*/test/**/*.test.ts',
  'bench/test/**/*.test.ts',
])
const quoted = new Map<string, string>()
for (const file of [...suites, ...tests]) {
  for (const rule of quotedBy(readFileSync(join(root, file), 'utf8'))) {
    if (rule.includes('.') || !suites.includes(file)) quoted.set(rule, file)
  }
}

const twice = rules.filter((rule, index) => rules.indexOf(rule) !== index)
const unproved = rules.filter(rule => !quoted.has(rule))
const unknown = [...quoted].filter(([rule]) => groups.has(groupOf(rule)) && !rules.includes(rule))
for (const rule of twice) console.error(`docs/SPEC.md has ${rule} twice`)
for (const rule of unproved) console.error(`no test quotes ${rule}`)
for (const [rule, file] of unknown) console.error(`${file} quotes ${rule}, which docs/SPEC.md does not have`)
console.log(
  `spec: ${rules.length} rules, ${tests.length} files, ${unproved.length} unproved, ${unknown.length} unknown`,
)
process.exitCode = rules.length > 0 && twice.length + unproved.length + unknown.length === 0 ? 0 : 1
