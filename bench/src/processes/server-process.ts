import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Contestant, FACTS } from '../contestants.ts'
import { BENCH_SECRET } from '../servers/bench-token.ts'
import { endOf, nextMessage, SERVER_CORE, startChild } from './child-process.ts'
import type { FromServer, ServerSample, ToServer } from './messages.ts'
import { SAMPLER_OPTION, sampleOf } from './server-sample.ts'

const START_TIMEOUT_MS = 20_000
const START_POLL_MS = 25
const ANSWER_TIMEOUT_MS = 30_000
const COLLECTIONS = 3
const COLLECTION_PAUSE_MS = 300
const HOST = '127.0.0.1'
/** What `pnpm start` gives Node, here to every contestant: megabytes of each half of V8's young generation. */
const SERVER_OPTIONS = ['--max-semi-space-size=16']

/** A server under test, in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess
  readonly #dataFolder: string

  private constructor(port: number, child: ChildProcess, dataFolder: string) {
    this.port = port
    this.#child = child
    this.#dataFolder = dataFolder
  }

  /** Resolves when it takes connections. `environment`: settings beside the bench's own. */
  static async start(
    contestant: Contestant,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const port = await freePort()
    const dataFolder = await mkdtemp(join(tmpdir(), 'sgs-chat-bench-'))
    const child = startChild({
      program: FACTS[contestant].program,
      nodeOptions: [...SERVER_OPTIONS, '--expose-gc', SAMPLER_OPTION],
      environment: { ...serverEnvironment(port, dataFolder), ...environment },
      core: SERVER_CORE,
    })
    const server = new ServerProcess(port, child, dataFolder)
    await server.#listening()
    return server
  }

  async #listening(): Promise<void> {
    const deadlineMs = performance.now() + START_TIMEOUT_MS
    while (!(await accepts(this.port))) {
      if (this.#child.exitCode !== null || performance.now() > deadlineMs) {
        await this[Symbol.asyncDispose]()
        throw new Error('the server under test did not start')
      }
      await sleep(START_POLL_MS)
    }
  }

  sample(collect = false): Promise<ServerSample> {
    return sampleOf(this.#child, ANSWER_TIMEOUT_MS, collect)
  }

  startProfile(): Promise<void> {
    return this.#do({ type: 'start-profile' })
  }

  /** Writes the CPU profile since `startProfile`. */
  stopProfile(file: string): Promise<void> {
    return this.#do({ type: 'stop-profile', file })
  }

  async #do(message: ToServer): Promise<void> {
    const isDone = (answer: FromServer): answer is { type: 'done' } => answer.type === 'done'
    const done = nextMessage(this.#child, isDone, ANSWER_TIMEOUT_MS)
    this.#tell(message)
    await done
  }

  /** What is left after the garbage was collected as far as it goes. */
  async sampleAtRest(): Promise<ServerSample> {
    for (let turn = 1; turn < COLLECTIONS; turn += 1) {
      await this.sample(true)
      await sleep(COLLECTION_PAUSE_MS)
    }
    await this.sample(true)
    await sleep(COLLECTION_PAUSE_MS)
    return this.sample()
  }

  #tell(message: ToServer): void {
    if (this.#child.connected) this.#child.send(message)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tell({ type: 'stop' })
    await endOf(this.#child)
    await rm(this.#dataFolder, { recursive: true, force: true })
  }
}

/** Settings of the composed server; its only limit that is off is the one that few publishers run into who stand for many. */
function serverEnvironment(port: number, dataFolder: string): Record<string, string> {
  return {
    PORT: String(port),
    HOST,
    DATA_DIR: dataFolder,
    JWT_SECRET: BENCH_SECRET,
    LOG_LEVEL: 'error',
    RATE_LIMIT: 'off',
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, HOST, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: HOST, port })
    const answer = (accepted: boolean): void => {
      socket.destroy()
      resolve(accepted)
    }
    socket.on('connect', () => answer(true))
    socket.on('error', () => answer(false))
  })
}
