import type { Step } from './simulation.ts'

/** Runs that once showed a fault, shrunk; each stays as a test of its own. */
export const PINNED: readonly {
  readonly why: string
  readonly follow?: 'all' | 'interest'
  readonly steps: readonly Step[]
}[] = [
  {
    why: 'chats that were trimmed before anything was archived were resumed over in silence',
    steps: [
      { step: 'append', room: 0, count: 1 },
      { step: 'subscribe', reader: 0 },
      { step: 'trim', partition: 0, count: 1 },
      { step: 'restart' },
      { step: 'subscribe', reader: 0 },
      { step: 'double', room: 1, back: 0 },
      { step: 'deliver', partition: 0, count: 1 },
    ],
  },
]
