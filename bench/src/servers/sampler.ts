import { writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import process from 'node:process'
import { getHeapSpaceStatistics } from 'node:v8'
import type { FromServer, ServerSample, ToServer } from '../processes/messages.ts'

/**
 * Loaded with `--import` into every server under test: answers the bench over IPC, from inside, so that the CPU time
 * is the process's own account of it.
 */
let profiler: Session | undefined

process.on('message', (message: ToServer) => {
  switch (message.type) {
    case 'sample':
      if (message.collect) globalThis.gc?.()
      answer(sample())
      return
    case 'start-profile':
      void startProfile().then(() => answer({ type: 'done' }))
      return
    case 'stop-profile':
      void stopProfile(message.file).then(() => answer({ type: 'done' }))
      return
    case 'stop':
      process.exit(0)
  }
})
process.on('disconnect', () => process.exit(0))

function answer(message: FromServer): void {
  process.send?.(message)
}

function sample(): ServerSample {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  return {
    type: 'sample',
    atMicros: Number(process.hrtime.bigint() / 1_000n),
    cpuMicros: user + system,
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    youngBytes: young?.physical_space_size ?? 0,
  }
}

const PROFILE_INTERVAL_MICROS = 200

async function startProfile(): Promise<void> {
  profiler = new Session()
  profiler.connect()
  await profiler.post('Profiler.enable')
  await profiler.post('Profiler.setSamplingInterval', { interval: PROFILE_INTERVAL_MICROS })
  await profiler.post('Profiler.start')
}

async function stopProfile(file: string): Promise<void> {
  const stopped = await profiler?.post('Profiler.stop')
  profiler?.disconnect()
  await writeFile(file, JSON.stringify(stopped?.profile))
}
