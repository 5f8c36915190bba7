/**
 * The commands of the documents, and who runs each of them in CI. `tools/check-documents.ts` holds that no other command stands
 * in a page, and that nothing here is left over. A command that cannot be run where CI runs is followed by `†`, and its page
 * says why.
 */
import { globSync } from 'node:fs'

/** Pages that a program writes: their commands are its own. */
const WRITTEN_BY_A_PROGRAM = new Set(['docs/tcp-vs-grpc.md'])

export function documentPages(root: string): string[] {
  return globSync(
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
}

/** Run, to the letter, by `apps/server/test/e2e/document-commands.e2e.test.ts`; a block of several lines by its first. */
export const RUN_BY_TEST: readonly string[] = [
  'pnpm run token --user alice',
  'pnpm chat send 7 hello',
  'pnpm chat tail 7',
  'pnpm chat --help',
  'pnpm chat doctor',
  'pnpm start --help',
  'pnpm verify --help',
  'pnpm verify',
  'pnpm bench --help',
  'pnpm start:state',
  'pnpm start:state --help',
  'pnpm epoch bump',
  'pnpm --filter @sgs-chat/web build',
  'TOKEN=$(pnpm -s run token --user alice)',
]

const BENCH_COMMANDS = 'bench/test/bench-commands.service.test.ts'
const README_SERVICES = 'apps/server/test/services/readme.service.test.ts'
const ALL_TESTS = ['package.json', 'vitest run --project unit --project integration --project e2e'] as const

/** Commands that CI itself is made of, or that need more than this machine's files and sockets: which file runs each, and by which words. */
export const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'npx -y -p node@24 -p pnpm@12 -c "pnpm install && exec pnpm start"': [
    '.ci/run',
    'bash -c "$start_command"',
  ],
  'npx -y -p node@24 -p pnpm@12 -c "pnpm install && pnpm test"': [
    '.ci/run',
    '-c "pnpm install && pnpm test"',
  ],
  'pnpm install && pnpm start': ['.ci/run', "grep -m 1 '^npx .*pnpm start' README.md"],
  'pnpm install && pnpm test': ['.ci/run', '-c "pnpm install && pnpm test"'],
  'pnpm test': ['.ci/run', 'pnpm test"'],
  'pnpm test:services': ['.ci/run', 'pnpm test:services"'],
  'pnpm test:browser': ['.ci/run', 'pnpm test:browser"'],
  'pnpm build': ['.ci/run', 'pnpm build'],
  'pnpm check:packages': ['.ci/run', 'pnpm check:packages'],
  'node tools/check-packages.ts --write': [
    'package.json',
    '"check:packages": "node tools/check-packages.ts"',
  ],
  'pnpm check': ['package.json', '"test": "pnpm check && '],
  'pnpm check:spec': ['package.json', '&& pnpm check:spec &&'],
  'pnpm check:boundaries': ['package.json', '&& pnpm check:boundaries &&'],
  'pnpm check:generated': ['package.json', '&& pnpm check:generated &&'],
  'pnpm check:size': ['package.json', '&& pnpm check:size"'],
  'pnpm format': ['package.json', '"check:format": "biome ci'],
  'pnpm generate': ['tools/check-generated.ts', "'generate', '--output'"],
  'pnpm documents': ['apps/server/test/documents.e2e.test.ts', 'await documents()'],
  'pnpm exec vitest run --project unit packages/core': ALL_TESTS,
  'pnpm exec vitest run packages/contract': ALL_TESTS,
  'pnpm exec vitest run --project services packages/adapters/kafka': [
    'package.json',
    'vitest run --project services',
  ],
  'pnpm bench fanout': [BENCH_COMMANDS, "'fanout'"],
  'pnpm bench idle': [BENCH_COMMANDS, "'idle'"],
  'pnpm bench pipeline': [BENCH_COMMANDS, "'pipeline'"],
  'pnpm bench presence-link': [BENCH_COMMANDS, "'presence-link'"],
  'pnpm bench presence-load': [BENCH_COMMANDS, "'presence-load'"],
  'pnpm soak': [BENCH_COMMANDS, "'pnpm soak'"],
  'eval "$(pnpm -s services up)"': [README_SERVICES, '(eval [\\s\\S]*?)'],
  'pnpm start': [README_SERVICES, "toContain('pnpm start')"],
  'pnpm services up': [README_SERVICES, '(eval [\\s\\S]*?)'],
  'pnpm services status': [README_SERVICES, "'pnpm -s services status'"],
  'pnpm services down': ['.ci/run', '-c "pnpm services down"'],
  'pnpm migrate:mongo': [
    'apps/server/test/migrate/migrate-mongo.service.test.ts',
    "migrateCommand('mongo', [], settings)",
  ],
  'pnpm migrate:mongo --dry-run': [
    'apps/server/test/migrate/migrate-mongo.service.test.ts',
    "migrateCommand('mongo', ['--dry-run'], settings)",
  ],
  'pnpm migrate:sqlite': [
    'apps/server/test/migrate/migrate-sqlite.service.test.ts',
    "migrateCommand('sqlite', ['--dry-run'], settings)",
  ],
}

export interface DocumentCommands {
  /** Each once: lines between the words, and blocks of a shell by their first line. */
  readonly run: readonly string[]
  /** Followed by `†`. */
  readonly notShown: readonly string[]
}

const SHELL_BLOCK = /```sh\n([\s\S]*?)```/g
const ANY_BLOCK = /```[\s\S]*?```/g
const INLINE =
  /`((?:[A-Z_]+=\S+ )*(?:pnpm|npx|npm|node|curl|docker|git|bash|tools\/services\/\S+) [^`]+)`( †)?/g
/** What a bench writes under its own table. */
const MADE_BY = /^- `pnpm bench [^`]+`, \d+ interleaved rounds, \d{4}-\d\d-\d\d$/gm

export function commandsOf(page: string, text: string): DocumentCommands {
  if (WRITTEN_BY_A_PROGRAM.has(page)) return { run: [], notShown: [] }
  const blocks = [...text.matchAll(SHELL_BLOCK)].map(([, lines = '']) => lines.split('\n')[0] ?? '')
  const inline = [...text.replaceAll(ANY_BLOCK, '').replaceAll(MADE_BY, '').matchAll(INLINE)]
  const named = (mark: string | undefined): string[] =>
    inline.filter(([, , marked]) => marked === mark).map(([, command = '']) => command)
  return { run: [...new Set([...blocks, ...named(undefined)])], notShown: named(' †') }
}

/** The whole block that begins with a line. */
export function shellBlock(text: string, firstLine: string): string {
  const blocks = [...text.matchAll(SHELL_BLOCK)].map(([, lines = '']) => lines)
  const [block, more] = blocks.filter(lines => lines.split('\n')[0] === firstLine)
  if (block === undefined || more !== undefined) throw new Error(`not one block begins with ${firstLine}`)
  return block
}
