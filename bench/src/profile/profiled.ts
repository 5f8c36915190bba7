import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { topFunctions } from './top-functions.ts'

/** Lets `measure` write a CPU profile of a server, and prints where its time went. */
export async function profiled<T>(title: string, measure: (profileFile: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sgs-chat-profile-'))
  try {
    const file = join(folder, 'server.cpuprofile')
    const measurement = await measure(file)
    console.error(`\n${title}\n${await topFunctions(file)}\n`)
    return measurement
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
