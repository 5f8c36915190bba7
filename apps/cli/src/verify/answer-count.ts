import type { SendAnswer } from '../stomp/stomp-connection.ts'

/** How SENDs were answered, each try counted. */
export class AnswerCount {
  readonly #counts = new Map<string, number>()

  add(answer: SendAnswer): void {
    const name = nameOf(answer)
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)))
  }
}

function nameOf(answer: SendAnswer): string {
  switch (answer.kind) {
    case 'acknowledged':
      return 'RECEIPT'
    case 'refused':
      return `${answer.code} ${answer.outcome}${answer.retryable ? ', retryable' : ''}`
    case 'ended':
      return `connection ended with ${answer.end.closeCode}`
    case 'unanswered':
      return 'no answer'
  }
}
