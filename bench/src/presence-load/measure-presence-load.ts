import { setTimeout as sleep } from 'node:timers/promises'
import { generateFanout } from '../processes/generator-process.ts'
import type { Edge, ServerSample } from '../processes/messages.ts'
import { ServerProcess } from '../processes/server-process.ts'
import {
  chatPlaces,
  type Place,
  type Presence,
  type PresenceLoad,
  visitorPlace,
} from './presence-load-run.ts'
import { StateProcess, type Truth } from './state-process.ts'
import { Visitors } from './visitors.ts'

/** One run; megabytes are of memory that is resident, but for the heap. */
export interface PresenceLoadMeasurement {
  readonly deliveriesPerSecond: number
  /** CPU seconds of the chat server for 100,000 deliveries, with all that it does beside them. */
  readonly cpuPer100k: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Chats. */
  readonly faults: number
  /** With all visitors in their rooms, and with all of them out again; without presence nobody is asked. */
  readonly truths: readonly Truth[]
  readonly chatRssBytes: number
  /** Of the chat server, collected: after the last visitor has left, above what it was before the first one entered. */
  readonly chatHeapGrowthBytes: number
  readonly stateRssBytes: number
}

const BODY_BYTES = 200
const IN_FLIGHT = 2
/** The window is longer than the visit by this. */
const SPARE_MS = 500

export async function measurePresenceLoad(
  presence: Presence,
  whole: PresenceLoad,
  profileFile?: string,
): Promise<PresenceLoadMeasurement> {
  await using state = presence === 'off' ? undefined : await StateProcess.start(presence)
  const link = state === undefined ? {} : { STATE_PORT: String(state.port) }
  await using chat = await ServerProcess.start('stomp', { PRESENCE: presence, ...link })
  using visitors = new Visitors(chat.port, whole)
  await visitors.connect()
  const visit = new Visit(whole, { chat, state, visitors, profileFile })
  const { rooms, membersPerRoom, deliveriesPerSecond, warmUpMs } = whole
  const windowMs = (2_000 * whole.visitors) / whole.movesPerSecond + whole.holdMs + SPARE_MS
  const outcome = await generateFanout(
    {
      contestant: 'stomp',
      port: chat.port,
      rooms,
      membersPerRoom,
      publishersPerRoom: 1,
      bodyBytes: BODY_BYTES,
      load: {
        kind: 'paced',
        deliveriesPerSecond,
        inFlight: IN_FLIGHT,
        warmUpMs,
        windowMs,
      },
    },
    edge => visit.at(edge),
  )
  if (visitors.failure !== undefined) throw new Error(`a visitor: ${visitors.failure}`)
  const rate = outcome.deliveries / outcome.seconds
  const { p50Ms, p99Ms, lost, doubled, outOfOrder } = outcome
  return {
    deliveriesPerSecond: rate,
    cpuPer100k: (visit.chatShare / rate) * 100_000,
    p50Ms,
    p99Ms,
    faults: lost + doubled + outOfOrder,
    ...visit.seen,
  }
}

interface VisitEnds {
  readonly chat: ServerProcess
  readonly state: StateProcess | undefined
  readonly visitors: Visitors
  readonly profileFile: string | undefined
}

/** What happens beside the chat between the edges of its window, and what it left behind. */
class Visit {
  readonly #load: PresenceLoad
  readonly #chat: ServerProcess
  readonly #state: StateProcess | undefined
  readonly #visitors: Visitors
  readonly #profileFile: string | undefined
  readonly #truths: Truth[] = []
  #before: ServerSample | undefined
  #after: ServerSample | undefined
  #growthBytes = 0
  #heapBeforeBytes = 0
  #stateRssBytes = 0
  #visiting: Promise<void> = Promise.resolve()

  constructor(load: PresenceLoad, { chat, state, visitors, profileFile }: VisitEnds) {
    this.#load = load
    this.#chat = chat
    this.#state = state
    this.#visitors = visitors
    this.#profileFile = profileFile
  }

  async at(edge: Edge): Promise<void> {
    if (edge === 'open') {
      this.#heapBeforeBytes = (await this.#chat.sampleAtRest()).heapUsedBytes
      await this.#visitors.warmUp()
      if (this.#profileFile !== undefined) await this.#chat.startProfile()
      this.#before = await this.#chat.sample()
      this.#visiting = this.#visit()
      // Awaited at the other edge.
      this.#visiting.catch(() => undefined)
      return
    }
    if (this.#profileFile !== undefined) await this.#chat.stopProfile(this.#profileFile)
    this.#after = await this.#chat.sample()
    await this.#visiting
    await this.#look(chatPlaces(this.#load))
    this.#growthBytes = (await this.#chat.sampleAtRest()).heapUsedBytes - this.#heapBeforeBytes
  }

  async #visit(): Promise<void> {
    await this.#visitors.enter()
    const held = sleep(this.#load.holdMs)
    const { visitors } = this.#load
    const visited = Array.from({ length: visitors }, (_, index) => visitorPlace(index))
    await this.#look([...chatPlaces(this.#load), ...visited])
    await held
    await this.#visitors.leave()
  }

  async #look(places: readonly Place[]): Promise<void> {
    if (this.#state === undefined) return
    this.#truths.push(await this.#state.agreesWith(places, this.#load.holdMs))
    this.#stateRssBytes = Math.max(this.#stateRssBytes, (await this.#state.sample()).rssBytes)
  }

  /** Of its core, in the window. */
  get chatShare(): number {
    if (this.#before === undefined || this.#after === undefined) throw new Error('the server was not sampled')
    return (this.#after.cpuMicros - this.#before.cpuMicros) / (this.#after.atMicros - this.#before.atMicros)
  }

  get seen(): Pick<
    PresenceLoadMeasurement,
    'truths' | 'chatRssBytes' | 'chatHeapGrowthBytes' | 'stateRssBytes'
  > {
    return {
      truths: this.#truths,
      chatRssBytes: this.#after?.rssBytes ?? Number.NaN,
      chatHeapGrowthBytes: this.#growthBytes,
      stateRssBytes: this.#stateRssBytes,
    }
  }
}
