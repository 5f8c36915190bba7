import type { ChildProcess } from 'node:child_process'
import { endOf, GENERATOR_CORE, nextMessage, SERVER_CORE, startChild } from '../processes/child-process.ts'
import { SAMPLER_OPTION, sampleOf } from '../processes/server-sample.ts'
import type { FromLinkClient, FromLinkServer, LinkOutcome, LinkRun, ToLinkClient, Wire } from './link-run.ts'

const START_TIMEOUT_MS = 20_000
const ANSWER_TIMEOUT_MS = 60_000

export interface LinkMeasurement extends LinkOutcome {
  readonly serverCpuMicros: number
}

/** A state server and a chat node's end in processes of their own, over one wire: measures the runs one after the other. */
export async function measureLinks(wire: Wire, runs: readonly LinkRun[]): Promise<LinkMeasurement[]> {
  const server = startChild({
    program: new URL('link-server-main.ts', import.meta.url),
    nodeOptions: [SAMPLER_OPTION],
    environment: { WIRE: wire },
    core: SERVER_CORE,
  })
  try {
    const isListening = (message: FromLinkServer): message is FromLinkServer => message.type === 'listening'
    const { port } = await nextMessage(server, isListening, START_TIMEOUT_MS)
    return await withClient(wire, port, async client => {
      const measurements: LinkMeasurement[] = []
      for (const run of runs) measurements.push(await measured(server, client, run))
      return measurements
    })
  } finally {
    if (server.connected) server.disconnect()
    await endOf(server)
  }
}

async function withClient<T>(
  wire: Wire,
  port: number,
  use: (client: ChildProcess) => Promise<T>,
): Promise<T> {
  const client = startChild({
    program: new URL('link-client-main.ts', import.meta.url),
    environment: { WIRE: wire, PORT: String(port) },
    core: GENERATOR_CORE,
  })
  try {
    await answerOf(client, 'ready', START_TIMEOUT_MS)
    return await use(client)
  } finally {
    if (client.connected) client.disconnect()
    await endOf(client)
  }
}

/** The server is sampled at both edges of the measured part. */
async function measured(server: ChildProcess, client: ChildProcess, run: LinkRun): Promise<LinkMeasurement> {
  const before = answerOf(client, 'edge', ANSWER_TIMEOUT_MS)
  tell(client, { type: 'run', run })
  await before
  const first = await sampleOf(server, ANSWER_TIMEOUT_MS)
  const after = answerOf(client, 'edge', ANSWER_TIMEOUT_MS)
  tell(client, { type: 'sampled' })
  await after
  const last = await sampleOf(server, ANSWER_TIMEOUT_MS)
  const outcome = answerOf(client, 'outcome', ANSWER_TIMEOUT_MS)
  tell(client, { type: 'sampled' })
  return { ...(await outcome).outcome, serverCpuMicros: last.cpuMicros - first.cpuMicros }
}

type AnswerOf<T extends FromLinkClient['type']> = Extract<FromLinkClient, { readonly type: T }>

async function answerOf<T extends FromLinkClient['type']>(
  client: ChildProcess,
  type: T,
  timeoutMs: number,
): Promise<AnswerOf<T>> {
  const isAnswer = (message: FromLinkClient): message is FromLinkClient =>
    message.type === type || message.type === 'failed'
  const answer = await nextMessage(client, isAnswer, timeoutMs)
  if (isOf(answer, type)) return answer
  throw new Error(`the chat node's end: ${answer.type === 'failed' ? answer.reason : answer.type}`)
}

function isOf<T extends FromLinkClient['type']>(message: FromLinkClient, type: T): message is AnswerOf<T> {
  return message.type === type
}

function tell(client: ChildProcess, message: ToLinkClient): void {
  if (client.connected) client.send(message)
}
