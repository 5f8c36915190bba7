import process from 'node:process'
import type { FromGenerator, ToGenerator } from '../processes/messages.ts'
import { type AtEdge, runFanout } from './run-fanout.ts'
import { runIdle } from './run-idle.ts'

/** The load generator, a process of its own: one run, then the end. */
let sampled: (() => void) | undefined

const atEdge: AtEdge = edge =>
  new Promise(resolve => {
    sampled = resolve
    tell({ type: 'edge', edge })
  })

process.on('message', (message: ToGenerator) => {
  switch (message.type) {
    case 'fanout':
      answer(runFanout(message.run, atEdge).then(outcome => ({ type: 'fanout', outcome })))
      return
    case 'idle':
      answer(runIdle(message.run, atEdge).then(outcome => ({ type: 'idle', outcome })))
      return
    case 'sampled':
      sampled?.()
      return
  }
})
process.on('disconnect', () => process.exit(0))

function answer(run: Promise<FromGenerator>): void {
  run.then(tell, (error: unknown) =>
    tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) }),
  )
}

function tell(message: FromGenerator): void {
  process.send?.(message)
}
