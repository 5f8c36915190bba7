import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MEBIBYTE = 1_048_576

/**
 * How much memory is held on to, in MiB: heap and buffers after a full collection. Without the collection a measurement
 * would tell how lazy the collector was just then, and differ from run to run.
 */
export function retainedMebibytes(): number {
  collect ??= exposedCollector()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / MEBIBYTE
}

let collect: (() => void) | undefined

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
