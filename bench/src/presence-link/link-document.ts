import { readFile, writeFile } from 'node:fs/promises'
import { describeMachine, machine } from '../machine.ts'
import { canPin } from '../processes/child-process.ts'
import { markdownTable } from '../report.ts'
import { filledJudgement } from './link-judgement.ts'
import { linkPlot } from './link-plot.ts'
import type { PresenceLinkResult } from './presence-link-bench.ts'

const DOCS = new URL('../../../docs/', import.meta.url)
const ADAPTERS = new URL('../../../packages/adapters/', import.meta.url)

/** Writes docs/tcp-vs-grpc.md and its plot: the figures of this run, the two error mappings as they are, and the judgement. */
export async function writeLinkDocument(result: PresenceLinkResult, command: string): Promise<void> {
  const [judgement, tcp, grpc] = await Promise.all([
    readFile(new URL('judgement.md', import.meta.url), 'utf8'),
    readFile(new URL('tcp/src/tcp-errors.ts', ADAPTERS), 'utf8'),
    readFile(new URL('grpc/src/grpc-errors.ts', ADAPTERS), 'utf8'),
  ])
  const facts = [
    describeMachine(machine()),
    `\`${command}\`, ${result.rounds} interleaved rounds, ${new Date().toISOString().slice(0, 10)}`,
    canPin ? 'state server on core 0, chat node on core 1' : 'not pinned to cores: more noise',
    ...result.notes,
  ]
  const text = [
    '# TCP against gRPC',
    'The link between chat node and state server, over its two wires. Written by `pnpm bench presence-link --save`, the numbers of the judgement as well.',
    filledJudgement(judgement, result.measurements).trim(),
    '## Figures',
    ...result.tables.map(markdownTable),
    facts.map(fact => `- ${fact}`).join('\n'),
    '![the medians of the tables above](tcp-vs-grpc.svg)',
    '## The two error mappings',
    sideBySide({ tcp, grpc }),
  ]
  await writeFile(new URL('tcp-vs-grpc.md', DOCS), `${text.join('\n\n')}\n`)
  await writeFile(new URL('tcp-vs-grpc.svg', DOCS), linkPlot(result.measurements))
  console.error('saved as docs/tcp-vs-grpc.md and docs/tcp-vs-grpc.svg')
}

function sideBySide({ tcp, grpc }: { tcp: string; grpc: string }): string {
  const cell = (source: string): string => `<td valign="top">\n\n\`\`\`ts\n${source.trim()}\n\`\`\`\n\n</td>`
  return [
    '<table>',
    '<tr><th><code>packages/adapters/tcp/src/tcp-errors.ts</code></th><th><code>packages/adapters/grpc/src/grpc-errors.ts</code></th></tr>',
    `<tr>${cell(tcp)}`,
    `${cell(grpc)}</tr>`,
    '</table>',
  ].join('\n')
}
