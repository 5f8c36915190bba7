import type { ChildProcess } from 'node:child_process'
import { nextMessage } from './child-process.ts'
import type { FromServer, ServerSample, ToServer } from './messages.ts'

/** The option of Node with which a program can be sampled, whatever it is. */
export const SAMPLER_OPTION: string = `--import=${new URL('../servers/sampler.ts', import.meta.url).href}`

/** What a child's process has taken so far, and has; `collect`: after a forced collection. */
export function sampleOf(child: ChildProcess, timeoutMs: number, collect = false): Promise<ServerSample> {
  const isSample = (message: FromServer): message is ServerSample => message.type === 'sample'
  const answer = nextMessage(child, isSample, timeoutMs)
  const ask: ToServer = { type: 'sample', collect }
  if (child.connected) child.send(ask)
  return answer
}
