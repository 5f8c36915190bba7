/**
 * Holds that the code in the documents is code: every TypeScript and JavaScript block of README.md, docs/ and the packages' READMEs
 * is compiled. What a block takes for granted stands before it in a comment, `<!-- given: declare const clock: Clock -->`. A
 * link to a file of the repository must lead somewhere. Run by `pnpm check`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
/** In a package that has the drivers and the clients installed. */
const folder = join(root, 'apps/server/artefacts/documents')
const pages = globSync(
  [
    '*.md',
    'docs/**/*.md',
    'packages/*/README.md',
    'packages/adapters/*/README.md',
    'examples/*/README.md',
    'apps/*/README.md',
  ],
  { cwd: root },
)
const problems: string[] = []

interface Block {
  readonly page: string
  readonly line: number
  readonly given: string
  readonly code: string
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8')
  const pattern = /(?:<!-- given: (.*?) -->\s*\n)?```(?:ts|js)\n(.*?)```/gs
  return [...text.matchAll(pattern)].map(match => ({
    page,
    line: text.slice(0, match.index + match[0].indexOf('```')).split('\n').length,
    given: match[1] ?? '',
    code: match[2] ?? '',
  }))
}

/** Every package of ours and every driver by its name, also where nothing else in the folder needs it. */
function knownPackages(): Record<string, string[]> {
  const manifests = globSync(['packages/*/package.json', 'packages/adapters/*/package.json'], { cwd: root })
  return Object.fromEntries(
    manifests.flatMap(path => {
      const at = join(root, dirname(path))
      const { name, exports, dependencies = {} } = JSON.parse(readFileSync(join(root, path), 'utf8'))
      const drivers = Object.keys(dependencies).filter(driver => !driver.startsWith('@sgs-chat/'))
      return [
        ...drivers.flatMap(driver => {
          const folder = join(at, 'node_modules', driver)
          const { types } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
          return types === undefined ? [] : [[driver, [join(folder, types)]]]
        }),
        ...Object.entries<Record<string, string>>(exports).map(([entry, targets]) => [
          `${name}${entry.slice(1)}`,
          [join(at, targets['@sgs-chat/source'] ?? '')],
        ]),
      ]
    }),
  )
}

function checkLinks(page: string): void {
  const text = readFileSync(join(root, page), 'utf8')
  for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
    if (!existsSync(join(root, dirname(page), target))) problems.push(`${page}: there is no ${target}`)
  }
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const blocks = pages.flatMap(blocksOf)
for (const { page, line, given, code } of blocks) {
  const name = `${page.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${line}.ts`
  // A block's line is the file's line, so that the compiler's words lead to the page.
  writeFileSync(join(folder, name), `${given.replaceAll('\n', ' ')};export {};${'\n'.repeat(line)}${code}`)
}
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    extends: '../../../../tsconfig.test.json',
    compilerOptions: {
      paths: knownPackages(),
      noUnusedLocals: false,
      lib: ['es2024', 'esnext.array', 'esnext.disposable', 'dom'],
    },
    include: ['*.ts'],
  }),
)
try {
  execFileSync('pnpm', ['exec', 'tsc', '-p', folder], { cwd: root, encoding: 'utf8' })
} catch (error) {
  problems.push(String((error as { stdout?: string }).stdout ?? error))
}
for (const page of pages) checkLinks(page)
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.stdout.write(
  `documents: ${pages.length} pages, ${blocks.length} blocks compiled, ${problems.length} problems\n`,
)
process.exitCode = problems.length === 0 ? 0 : 1
