import {
  ChatError,
  type ErrorCode,
  type Outcome,
  type PresenceRegistry,
  presenceRegistry,
  userId,
} from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock } from '@sgs-chat/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deadPort, FaultyProxy, mutePeer } from './faulty-proxy.ts'
import { LINKS, type Limits, type Link, type OpenLink, ROOM } from './links.ts'

const SHORT_MS = 300

let registry: PresenceRegistry
const opened: AsyncDisposable[] = []

beforeEach(() => {
  registry = presenceRegistry({ store: memoryPresenceStore(), clock: systemClock() })
})

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
  await registry.close()
})

function kept<T extends AsyncDisposable>(one: T): T {
  opened.push(one)
  return one
}

async function served(link: Link, token?: string): Promise<number> {
  return kept(await link.serve({ registry, ...(token === undefined ? {} : { token }) })).port
}

/** A link to a server that works, and the proxy between the two. */
async function proxied(link: Link, limits?: Limits): Promise<{ proxy: FaultyProxy; client: OpenLink }> {
  const proxy = kept(await FaultyProxy.before(await served(link)))
  return { proxy, client: kept(link.open(proxy.port, limits)) }
}

interface Fault {
  readonly fault: string
  readonly code: ErrorCode
  /** Absent: one link knows that nothing was sent, where another does not. */
  readonly outcome?: Outcome
  readonly retryable?: false
  /** Makes the call that fails. */
  readonly call: (link: Link) => Promise<unknown>
  /** A wire that has no such thing. */
  readonly notOn?: string
}

const FAULTS: readonly Fault[] = [
  {
    fault: 'peer down',
    code: 'TCP_CONNECTION_FAILED',
    outcome: 'rejected',
    call: async link => kept(link.open(await deadPort())).tell('s'),
  },
  {
    fault: 'peer takes the connection and says nothing',
    code: 'TCP_TIMEOUT',
    outcome: 'unknown',
    call: async link =>
      kept(link.open(kept(await mutePeer(undefined)).port, { timeoutMs: SHORT_MS })).tell('s'),
  },
  {
    fault: 'peer hangs after it has worked',
    code: 'TCP_TIMEOUT',
    outcome: 'unknown',
    call: async link => {
      const { proxy, client } = await proxied(link, { timeoutMs: SHORT_MS })
      await client.tell('before')
      proxy.hang()
      return client.tell('s')
    },
  },
  {
    fault: 'reset in mid-answer',
    code: 'TCP_CONNECTION_FAILED',
    outcome: 'unknown',
    call: async link => {
      const { proxy, client } = await proxied(link)
      await client.tell('before')
      proxy.cutAnswers()
      return client.tell('s')
    },
  },
  {
    fault: 'garbage',
    code: 'TCP_CONNECTION_FAILED',
    call: async link => {
      const says = Buffer.from(`HTTP/1.1 400 Bad Request\r\n\r\n\0\x01\x02${'\r\n'.repeat(9)}`)
      return kept(link.open(kept(await mutePeer(says)).port)).tell('s')
    },
  },
  {
    fault: 'an answer over the limit',
    code: 'TCP_CONNECTION_FAILED',
    outcome: 'unknown',
    call: async link => {
      const node = registry.ofNode({ id: 'node-2', incarnation: 'b' })
      for (let index = 0; index < 40; index++) {
        const session = { state: 'present', rooms: [ROOM] } as const
        await node.report({ sessionId: `s${index}`, userId: userId(`user-${index}`), number: 1, session })
      }
      return kept(link.open(await served(link), { maxBytes: 256 })).ask()
    },
    // Its answer is never longer than its request.
    notOn: 'tcp',
  },
  {
    fault: 'a request over the limit',
    code: 'TOO_LARGE',
    outcome: 'rejected',
    retryable: false,
    call: async link => kept(link.open(await served(link), { maxBytes: 200 })).tell('s'.repeat(250)),
  },
  {
    fault: 'more requests at once than may be',
    code: 'UNAVAILABLE',
    outcome: 'rejected',
    call: async link => {
      const client = kept(link.open(await served(link), { maxPending: 2 }))
      const calls = ['a', 'b', 'c'].map(session => client.tell(session))
      const [, , third] = await Promise.allSettled(calls)
      if (third?.status === 'rejected') throw third.reason
    },
  },
  {
    fault: 'a token that is not the right one',
    code: 'TCP_CONNECTION_FAILED',
    outcome: 'rejected',
    retryable: false,
    call: async link => kept(link.open(await served(link, 'right'), { token: 'wrong' })).tell('s'),
    notOn: 'tcp',
  },
]

describe.each(LINKS)('the link $name', link => {
  for (const { fault, code, outcome, retryable, call, notOn } of FAULTS) {
    if (notOn === link.name) continue
    it(`L3: ${fault} is ${code}, within bounded time`, async () => {
      const error = await call(link).then(
        () => expect.unreachable(),
        (thrown: unknown) => thrown,
      )
      if (!ChatError.is(error)) throw error
      expect(error.code).toBe(code)
      if (outcome !== undefined) expect(error.outcome).toBe(outcome)
      if (retryable !== undefined) expect(error.retryable).toBe(retryable)
    })
  }

  it('L3: a port that cannot be bound is TCP_BIND_FAILED, with its cause', async () => {
    const port = await served(link)
    await expect(link.serve({ registry, port })).rejects.toMatchObject({
      code: 'TCP_BIND_FAILED',
      cause: { code: 'EADDRINUSE' },
    })
  })

  it('L3: a refused connection and a failure of a peer keep their cause', async () => {
    const error = await kept(link.open(await deadPort()))
      .tell('s')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'TCP_CONNECTION_FAILED', cause: expect.any(Error) })
  })

  it('L3: after each of these faults the link works again as soon as its peer does', async () => {
    const { proxy, client } = await proxied(link)
    proxy.cutAnswers()
    await expect(client.tell('s')).rejects.toMatchObject({ code: 'TCP_CONNECTION_FAILED' })
    proxy.mend()
    await expect
      .poll(() =>
        client.tell('s').then(
          () => 'told',
          () => 'not told',
        ),
      )
      .toBe('told')
    expect((await registry.whoIsIn(ROOM)).users).toEqual([{ userId: 'alice', sessions: 1 }])
  })

  it('L7: both ends count the requests, and the bytes on the wire in each direction', async () => {
    const server = kept(await link.serve({ registry }))
    const proxy = kept(await FaultyProxy.before(server.port))
    const client = kept(link.open(proxy.port))
    for (let index = 0; index < 20; index++) await client.tell(`session-${index}`)
    expect(client.counters).toMatchObject({ failures: 0, connections: 1, requests: 20 })
    expect(server.counters.requests).toBe(link.name === 'tcp+lease' ? 21 : 20)
    const { toServerBytes: there, toClientBytes: back } = proxy
    const counted = (): number[] => [
      client.counters.bytesSent,
      server.counters.bytesReceived,
      server.counters.bytesSent,
      client.counters.bytesReceived,
    ]
    // HTTP/2 has something to say of its own after the last answer.
    const onTheWire = (): number[] => {
      const { toServerBytes, toClientBytes } = proxy
      return [toServerBytes, toServerBytes, toClientBytes, toClientBytes]
    }
    await expect.poll(() => counted().join() === onTheWire().join()).toBe(true)
    expect(Math.min(there, back)).toBeGreaterThan(20)
    await client.close()
    await expect.poll(() => server.counters.connections).toBe(0)
    expect(client.counters.connections).toBe(0)
    expect(client.counters.bytesSent).toBeGreaterThanOrEqual(there)
  })
})

describe('L3: a failure that the registry answers', () => {
  it.each(LINKS.filter(({ name }) => name !== 'tcp'))('L3: has its own code over $name', async link => {
    const client = kept(link.open(await served(link)))
    const page = { snapshotId: 5, page: 3, isLast: true, sessions: [] }
    await expect(client.presence?.snapshot(page)).rejects.toMatchObject({
      code: 'CONFLICT',
      outcome: 'rejected',
    })
    await registry.close()
    await expect(client.tell('s')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
