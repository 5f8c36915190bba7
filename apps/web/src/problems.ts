import { signal } from '@preact/signals'
import { ClientError } from '@sgs-chat/client'

/** Something that went wrong, and is shown until it is dismissed. */
export interface Problem {
  readonly id: number
  readonly error: ClientError
}

const MAX_PROBLEMS = 3

export const problems = signal<readonly Problem[]>([])
let count = 0

export function report(cause: unknown): void {
  const error = ClientError.from(cause, 'UNEXPECTED_ANSWER', false)
  if (error.code === 'CLOSED') return
  count += 1
  problems.value = [...problems.value, { id: count, error }].slice(-MAX_PROBLEMS)
}

export function dismiss(id: number): void {
  problems.value = problems.value.filter(problem => problem.id !== id)
}
