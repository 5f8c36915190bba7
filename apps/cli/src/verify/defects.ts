import type { ChatName } from './chat-name.ts'

/** What must not happen. `phantom`: seen although it was refused for good. `misplaced`: at another position than others saw. */
const DEFECTS = [
  'missing',
  'doubled',
  'out-of-order',
  'misplaced',
  'phantom',
  'foreign',
  'unanswered',
] as const
export type Defect = (typeof DEFECTS)[number]

const MAX_EXAMPLES = 20

export interface DefectExample {
  readonly defect: Defect
  /** Who saw it: a reader, the history of a node, a writer. */
  readonly where: string
  readonly chat: string
}

/** Counts what went wrong, and keeps the first few by name. */
export class Defects {
  readonly counts: Record<Defect, number> = {
    missing: 0,
    doubled: 0,
    'out-of-order': 0,
    misplaced: 0,
    phantom: 0,
    foreign: 0,
    unanswered: 0,
  }
  readonly examples: DefectExample[] = []

  add(defect: Defect, where: string, { writer, number }: ChatName): void {
    this.counts[defect] += 1
    if (this.examples.length < MAX_EXAMPLES) {
      this.examples.push({ defect, where, chat: `writer ${writer}, chat ${number}` })
    }
  }

  /** Takes over what another account has found. */
  merge({ counts, examples }: Defects): void {
    for (const defect of DEFECTS) this.counts[defect] += counts[defect]
    this.examples.push(...examples.slice(0, MAX_EXAMPLES - this.examples.length))
  }

  get total(): number {
    return DEFECTS.reduce((sum, defect) => sum + this.counts[defect], 0)
  }
}
