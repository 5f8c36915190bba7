import { mkdir, writeFile } from 'node:fs/promises'
import type { BenchOptions } from './command-line.ts'
import { describeMachine, type Machine, machine } from './machine.ts'
import { canPin } from './processes/child-process.ts'

/** One table: a title, headings and cells, all as text. */
export interface Table {
  readonly title: string
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a bench found, to be shown and kept. */
export interface BenchResult {
  readonly name: string
  readonly rounds: number
  readonly tables: readonly Table[]
  readonly notes: readonly string[]
  /** Every measurement, for whoever wants to compute something else. */
  readonly measurements: object
}

interface SavedResult extends BenchResult {
  readonly command: string
  readonly finishedAt: string
  readonly machine: Machine
  readonly pinned: boolean
}

export async function report(result: BenchResult, { output, save }: BenchOptions): Promise<void> {
  const whole: SavedResult = {
    ...result,
    command: `pnpm bench ${process.argv.slice(2).join(' ')}`,
    finishedAt: new Date().toISOString(),
    machine: machine(),
    pinned: canPin,
  }
  console.log(output === 'json' ? JSON.stringify(whole, null, 2) : text(whole, output === 'markdown'))
  if (save) await saveResult(whole)
}

async function saveResult(result: SavedResult): Promise<void> {
  const folder = new URL('../results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const file = new URL(`${result.name}.json`, folder)
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`)
  console.error(`saved as bench/results/${result.name}.json`)
}

function text(result: SavedResult, markdown: boolean): string {
  const { command, finishedAt, pinned, rounds, notes, tables } = result
  const facts = [
    describeMachine(result.machine),
    `\`${command}\`, ${rounds} interleaved rounds, ${finishedAt.slice(0, 10)}`,
    pinned ? 'server on core 0, load generator on core 1' : 'not pinned to cores: more noise',
    ...notes,
  ]
  const parts = tables.map(table => (markdown ? markdownTable(table) : plainTable(table)))
  const list = facts.map(fact => (markdown ? `- ${fact}` : `  ${fact.replaceAll('`', '')}`)).join('\n')
  return [...parts, list].join('\n\n')
}

export function markdownTable({ title, headings, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [`### ${title}`, '', line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')
}

function plainTable({ title, headings, rows }: Table): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map(row => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [title, line(headings), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
