import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { endOf, nextMessage, startChild, THIRD_CORE } from '../processes/child-process.ts'
import type { ServerSample } from '../processes/messages.ts'
import { SAMPLER_OPTION, sampleOf } from '../processes/server-sample.ts'
import {
  digestOf,
  type FromStateServer,
  type Place,
  type Presence,
  type ToStateServer,
} from './presence-load-run.ts'

const TIMEOUT_MS = 20_000
/** Rarely: each look is work on the core of the load generator. */
const POLL_MS = 300

type Who = Extract<FromStateServer, { readonly type: 'who' }>
type Listening = Extract<FromStateServer, { readonly type: 'listening' }>

/** What the registry had when it was looked at last. */
export interface Truth {
  readonly isRight: boolean
  readonly expected: number
  readonly found: number
}

/** The state server under test, beside the load: the chat server has its core for itself. */
export class StateProcess implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(presence: Presence): Promise<StateProcess> {
    const child = startChild({
      program: new URL('state-main.ts', import.meta.url),
      nodeOptions: ['--expose-gc', SAMPLER_OPTION],
      environment: { PRESENCE: presence },
      core: THIRD_CORE,
    })
    const isListening = (message: FromStateServer): message is Listening => message.type === 'listening'
    const { port } = await nextMessage(child, isListening, TIMEOUT_MS)
    return new StateProcess(child, port)
  }

  /** Whether the registry has exactly these places; it may take so long to hear of the last ones. */
  async agreesWith(places: readonly Place[], withinMs: number): Promise<Truth> {
    const digest = digestOf(places)
    const deadlineMs = performance.now() + withinMs
    for (;;) {
      await sleep(POLL_MS)
      const who = await this.#who()
      const isRight = who.digest === digest
      if (isRight || performance.now() > deadlineMs) {
        return { isRight, expected: places.length, found: who.count }
      }
    }
  }

  sample(): Promise<ServerSample> {
    return sampleOf(this.#child, TIMEOUT_MS)
  }

  #who(): Promise<Who> {
    const ask: ToStateServer = { type: 'who' }
    const isWho = (message: FromStateServer): message is Who => message.type === 'who'
    const answer = nextMessage(this.#child, isWho, TIMEOUT_MS)
    this.#child.send(ask)
    return answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await endOf(this.#child)
  }
}
