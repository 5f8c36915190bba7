import type { ChildProcess } from 'node:child_process'
import type { FanoutOutcome, FanoutRun } from '../fanout/fanout-run.ts'
import type { IdleOutcome, IdleRun } from '../idle/idle-run.ts'
import { endOf, GENERATOR_CORE, nextMessage, startChild } from './child-process.ts'
import type { Edge, FromGenerator, ToGenerator } from './messages.ts'

const RUN_TIMEOUT_MS = 180_000

/** Starts a load generator, lets it make one run, and ends it. `atEdge` is awaited while the load goes on. */
export async function generateFanout(
  run: FanoutRun,
  atEdge: (edge: Edge) => Promise<void>,
): Promise<FanoutOutcome> {
  const answer = await generate({ type: 'fanout', run }, atEdge)
  if (answer.type !== 'fanout') throw new Error(`not an answer: ${answer.type}`)
  return answer.outcome
}

export async function generateIdle(
  run: IdleRun,
  atEdge: (edge: Edge) => Promise<void>,
): Promise<IdleOutcome> {
  const answer = await generate({ type: 'idle', run }, atEdge)
  if (answer.type !== 'idle') throw new Error(`not an answer: ${answer.type}`)
  return answer.outcome
}

type Answer = Extract<FromGenerator, { readonly type: 'fanout' | 'idle' }>
type Final = Exclude<FromGenerator, { readonly type: 'edge' }>

async function generate(order: ToGenerator, atEdge: (edge: Edge) => Promise<void>): Promise<Answer> {
  const program = new URL('../generator/generator-main.ts', import.meta.url)
  const child = startChild({ program, core: GENERATOR_CORE })
  try {
    const edges = answerEdges(child, atEdge)
    const final = nextMessage(
      child,
      (message: FromGenerator): message is Final => message.type !== 'edge',
      RUN_TIMEOUT_MS,
    )
    tell(child, order)
    const answer = await Promise.race([final, edges])
    if (answer.type === 'failed') throw new Error(`the load generator: ${answer.reason}`)
    return answer
  } finally {
    if (child.connected) child.disconnect()
    await endOf(child)
  }
}

/** Rejects when an edge does; never resolves. */
function answerEdges(child: ChildProcess, atEdge: (edge: Edge) => Promise<void>): Promise<never> {
  return new Promise((_, reject) => {
    child.on('message', (message: FromGenerator) => {
      if (message.type !== 'edge') return
      atEdge(message.edge).then(() => tell(child, { type: 'sampled' }), reject)
    })
  })
}

function tell(child: ChildProcess, message: ToGenerator): void {
  if (child.connected) child.send(message)
}
