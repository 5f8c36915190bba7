import { readFile } from 'node:fs/promises'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

/** The parts of a V8 CPU profile that are read here. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface FunctionTime {
  selfMicros: number
  totalMicros: number
}

const SHOWN = 45
/** Not the server's work: waiting, and the profiler itself. */
const NOT_COUNTED = /^\(idle\)|node:inspector/

/** Where a server's time went: the functions by the time in themselves, with the time in all that they call. */
export async function topFunctions(file: string): Promise<string> {
  const profile: CpuProfile = JSON.parse(await readFile(file, 'utf8'))
  const times = functionTimes(profile)
  let busyMicros = 0
  for (const [name, { selfMicros }] of times) {
    if (NOT_COUNTED.test(name)) times.delete(name)
    else busyMicros += selfMicros
  }
  const percent = (micros: number): string => ((micros / busyMicros) * 100).toFixed(1).padStart(6)
  const lines = [...times]
    .sort(([, a], [, b]) => b.selfMicros - a.selfMicros)
    .slice(0, SHOWN)
    .map(([name, { selfMicros, totalMicros }]) => `${percent(selfMicros)} ${percent(totalMicros)}   ${name}`)
  return ['self %  all %   of the busy time', ...lines].join('\n')
}

function functionTimes({ nodes, samples, timeDeltas }: CpuProfile): Map<string, FunctionTime> {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const selfMicros = new Map<number, number>()
  samples.forEach((id, index) => {
    selfMicros.set(id, (selfMicros.get(id) ?? 0) + (timeDeltas[index] ?? 0))
  })
  const times = new Map<string, FunctionTime>()
  /** Adds up a subtree; a function that is on the stack already does not count its inner calls again. */
  const walk = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = nameOf(node)
    const within = new Set(above).add(name)
    const self = selfMicros.get(node.id) ?? 0
    let total = self
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child !== undefined) total += walk(child, within)
    }
    const time = times.get(name) ?? { selfMicros: 0, totalMicros: 0 }
    time.selfMicros += self
    if (!above.has(name)) time.totalMicros += total
    times.set(name, time)
    return total
  }
  const [root] = nodes
  if (root !== undefined) walk(root, new Set())
  return times
}

/** The function and its place, from the root of the workspace or of the package. */
function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const place = url.replace(/^.*\/node_modules\//, '').replace(/^file:.*?\/(?=(packages|apps|bench)\/)/, '')
  return `${name}  ${place}:${lineNumber + 1}`
}
