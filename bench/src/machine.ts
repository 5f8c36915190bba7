import { cpus, platform, release, totalmem } from 'node:os'

/** What the numbers were measured on. */
export interface Machine {
  readonly cores: number
  readonly cpuModel: string
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
}

export function machine(): Machine {
  const cores = cpus()
  return {
    cores: cores.length,
    cpuModel: cores[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
  }
}

export function describeMachine({ cores, cpuModel, memoryGiB, system, node }: Machine): string {
  return `${cores} cores (${cpuModel}), ${memoryGiB} GiB, ${system}, Node ${node}`
}
