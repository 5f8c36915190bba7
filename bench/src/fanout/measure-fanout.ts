import type { Contestant } from '../contestants.ts'
import { generateFanout } from '../processes/generator-process.ts'
import type { ServerSample } from '../processes/messages.ts'
import { ServerProcess } from '../processes/server-process.ts'
import type { FanoutOutcome, FanoutRun } from './fanout-run.ts'

export interface FanoutMeasurement extends FanoutOutcome {
  readonly deliveriesPerSecond: number
  /** CPU seconds of the server for 100,000 deliveries. */
  readonly cpuPer100k: number
  /** Share of its core that the server used in the window, 0 to 1. */
  readonly serverShare: number
}

/** One run of one contestant: a fresh server, a fresh generator. With `profileFile` the window is profiled, and slower. */
export async function measureFanout(
  contestant: Contestant,
  run: Omit<FanoutRun, 'contestant' | 'port'>,
  profileFile?: string,
): Promise<FanoutMeasurement> {
  await using server = await ServerProcess.start(contestant)
  const samples: ServerSample[] = []
  const outcome = await generateFanout({ ...run, contestant, port: server.port }, async edge => {
    if (profileFile !== undefined && edge === 'close') await server.stopProfile(profileFile)
    samples.push(await server.sample())
    if (profileFile !== undefined && edge === 'open') await server.startProfile()
  })
  return measurement(outcome, samples)
}

/** Both processes measure a rate in a window of their own, so that the time of the messages between them is no error. */
function measurement(outcome: FanoutOutcome, [before, after]: readonly ServerSample[]): FanoutMeasurement {
  if (before === undefined || after === undefined) throw new Error('the server was not sampled')
  const serverShare = (after.cpuMicros - before.cpuMicros) / (after.atMicros - before.atMicros)
  const deliveriesPerSecond = outcome.deliveries / outcome.seconds
  return {
    ...outcome,
    deliveriesPerSecond,
    serverShare,
    cpuPer100k: (serverShare / deliveriesPerSecond) * 100_000,
  }
}
