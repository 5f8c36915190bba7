/**
 * Holds that the code in the documents is code: every TypeScript and JavaScript block of README.md, docs/ and the packages' READMEs
 * is compiled. What a block takes for granted stands before it in a comment, `<!-- given: declare const clock: Clock -->`.
 * Every command, in a block of a shell or between words, is one that CI runs (`document-commands.ts` says who), or is marked
 * `†` on a page that says why not; a block of any other kind is refused, but for drawings (`text`). A setting must be one that
 * the sources know, and a link to a file of the repository must lead somewhere. Run by `pnpm check`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { commandsOf, documentPages, RUN_BY_TEST, RUN_ELSEWHERE } from './document-commands.ts'

const root = resolve(import.meta.dirname, '..')
/** In a package that has the drivers and the clients installed. */
const folder = join(root, 'apps/server/artefacts/documents')
const pages = documentPages(root)
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

/** Kinds of blocks, by who makes sure of them: the compiler, CI, nobody as there is nothing to run. */
const KINDS = new Set(['ts', 'js', 'sh', 'text'])

function checkKinds(page: string): void {
  const text = readFileSync(join(root, page), 'utf8')
  for (const [, kind = '', first = ''] of text.matchAll(/^```(.*)\n(.*)\n[\s\S]*?^```$/gm)) {
    if (!KINDS.has(kind)) problems.push(`${page}: nothing runs a block of "${kind}"`)
    if (kind === 'text' && /^(\$|pnpm|npx|curl|docker) /.test(first))
      problems.push(`${page}: a command is no text: ${first}`)
  }
}

function checkCommands(): void {
  const found = new Set<string>()
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8')
    const { run, notShown } = commandsOf(page, text)
    for (const command of run) {
      found.add(command)
      if (!RUN_BY_TEST.includes(command) && RUN_ELSEWHERE[command] === undefined)
        problems.push(`${page}: nobody runs ${command} (tools/document-commands.ts)`)
    }
    if (notShown.length > 0 && !/† (needs|not run) \w+/.test(text))
      problems.push(`${page}: does not say why ${notShown.join(', ')} is not run`)
  }
  for (const command of [...RUN_BY_TEST, ...Object.keys(RUN_ELSEWHERE)])
    if (!found.has(command)) problems.push(`tools/document-commands.ts: no page has ${command}`)
  for (const [command, [file, words]] of Object.entries(RUN_ELSEWHERE))
    if (!readFileSync(join(root, file), 'utf8').includes(words))
      problems.push(`tools/document-commands.ts: ${file} does not run ${command}`)
}

/** Names such as KAFKA_BROKERS, alone or with a value: settings, which configuration.md has from the program, and codes. */
function checkNames(): void {
  const sources = globSync(['{packages,apps,bench}/**/{src,test}/**/*.ts', 'docs/configuration.md'], {
    cwd: root,
    exclude: path => path.includes('node_modules'),
  })
    .map(path => readFileSync(join(root, path), 'utf8'))
    .join('\n')
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8')
    for (const [, name = ''] of text.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])(?:=[^`]*)?`/g))
      if (!new RegExp(`\\b${name}\\b`).test(sources)) problems.push(`${page}: nothing knows ${name}`)
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
for (const page of pages) {
  checkLinks(page)
  checkKinds(page)
}
checkCommands()
checkNames()
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.stdout.write(
  `documents: ${pages.length} pages, ${blocks.length} blocks compiled, ${problems.length} problems\n`,
)
process.exitCode = problems.length === 0 ? 0 : 1
