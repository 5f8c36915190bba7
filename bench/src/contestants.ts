/** Whom the benchmarks compare, in the order of the tables. */
export const CONTESTANTS = ['plain-ws', 'batched-ws', 'socket-io', 'stomp', 'embedded'] as const

export type Contestant = (typeof CONTESTANTS)[number]

export interface ContestantFacts {
  readonly title: string
  /** How the generator talks to it. */
  readonly dialect: 'bare' | 'socket-io' | 'stomp'
  readonly program: URL
}

export const FACTS: Readonly<Record<Contestant, ContestantFacts>> = {
  'plain-ws': {
    title: 'bare ws, one send per socket',
    dialect: 'bare',
    program: new URL('./servers/plain-ws.ts', import.meta.url),
  },
  'batched-ws': {
    title: 'bare ws, one write per tick',
    dialect: 'bare',
    program: new URL('./servers/batched-ws.ts', import.meta.url),
  },
  'socket-io': {
    title: 'Socket.IO 4',
    dialect: 'socket-io',
    program: new URL('./servers/socket-io.ts', import.meta.url),
  },
  stomp: {
    title: 'ours, STOMP over memory',
    dialect: 'stomp',
    program: new URL('./servers/stomp.ts', import.meta.url),
  },
  embedded: {
    title: 'ours, composed with SQLite',
    dialect: 'stomp',
    program: new URL('../../apps/server/src/main.ts', import.meta.url),
  },
}

export function isContestant(name: string): name is Contestant {
  return CONTESTANTS.some(contestant => contestant === name)
}
