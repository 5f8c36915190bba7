import {
  type Logger,
  type PresenceRegistry,
  type PresenceRegistryOptions,
  parseRoomId,
  presenceRegistry,
  type SessionPresence,
  type SessionReport,
  type SnapshotSession,
  silentLogger,
  userId,
} from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { SteppedClock } from '../simulation/stepped-clock.ts'
import { PlainStore } from './plain-store.ts'

const ROOM = parseRoomId(7)
const N = 3
const NODE = { id: 'node', incarnation: 'a' }
const TOO_LARGE = { code: 'TOO_LARGE', details: { limit: N, unit: 'sessions' } }

interface World {
  readonly clock: SteppedClock
  readonly store: PlainStore
  readonly warnings: unknown[]
  readonly open: (limits: Partial<PresenceRegistryOptions>) => PresenceRegistry
}

function world(): World {
  const clock = new SteppedClock()
  const store = new PlainStore()
  const warnings: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: (_, fields) => void warnings.push(fields?.limit) }
  const open: World['open'] = limits => presenceRegistry({ store, clock, logger, ...limits })
  return { clock, store, warnings, open }
}

const session = (index: number, number = 1): SnapshotSession => ({
  sessionId: `s${index}`,
  userId: userId('alice'),
  number,
  rooms: [ROOM],
})

const report = (
  index: number,
  number = 1,
  state: 'present' | 'connected' | 'gone' = 'present',
): SessionReport => {
  const { rooms, ...rest } = session(index, number)
  return { ...rest, session: state === 'present' ? { state, rooms } : { state } }
}

async function fill(node: SessionPresence): Promise<void> {
  for (let index = 0; index < N; index++) await node.report(report(index))
}

describe('S7: a registry takes so many sessions and nodes, and no more', () => {
  it('S7: N sessions of a node are taken; one more is refused, counted and logged, until another one ends', async () => {
    const { store, warnings, open } = world()
    const registry = open({ maxNodeSessions: N })
    const node = registry.ofNode(NODE)
    await fill(node)
    await expect(node.report(report(N))).rejects.toMatchObject(TOO_LARGE)
    await expect(node.report(report(N, 2, 'connected'))).rejects.toMatchObject(TOO_LARGE)
    expect(store.sessions.size).toBe(N)
    expect(registry.counts).toEqual({
      nodes: 1,
      nodeSessions: N,
      originalSessions: 0,
      refused: { nodes: 0, 'node-sessions': 2, 'original-sessions': 0 },
    })
    expect(warnings).toEqual(['node-sessions'])
    await node.report(report(0, 2))
    await node.report(report(1, 2, 'connected'))
    await expect(node.report(report(N, 3))).rejects.toMatchObject(TOO_LARGE)
    await node.report(report(1, 3, 'gone'))
    await node.report(report(N, 4))
    await expect(node.report(report(1, 4))).rejects.toMatchObject(TOO_LARGE)
    expect([...store.sessions.keys()]).toEqual(['s0', 's2', `s${N}`])
    await registry.close()
  })

  it('S7: of reports that come all at once no more are taken either', async () => {
    const { store, open } = world()
    const registry = open({ maxNodeSessions: N })
    const node = registry.ofNode(NODE)
    const reports = Array.from({ length: 3 * N }, (_, index) => node.report(report(index)))
    const states = (await Promise.allSettled(reports)).map(({ status }) => status)
    expect(states.filter(status => status === 'fulfilled')).toHaveLength(N)
    expect([store.sessions.size, registry.counts.nodeSessions]).toEqual([N, N])
    await registry.close()
  })

  it('S7: a session that the store could not take has no place', async () => {
    const { store, open } = world()
    const registry = open({ maxNodeSessions: N })
    const node = registry.ofNode(NODE)
    store.isAway = true
    for (let index = 0; index < 2 * N; index++) {
      await expect(node.report(report(index))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    }
    store.isAway = false
    expect(registry.counts.nodeSessions).toBe(0)
    await fill(node)
    await node.report(report(0, 2, 'gone'))
    store.isAway = true
    await expect(node.report(report(0, 3))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    store.isAway = false
    await node.report(report(N))
    expect(registry.counts.nodeSessions).toBe(N)
    await registry.close()
  })

  it('S7: a snapshot of N sessions is taken, and one of N + 1 refused', async () => {
    const { store, open } = world()
    const registry = open({ maxNodeSessions: N })
    const node = registry.ofNode(NODE)
    const sessions = Array.from({ length: N + 1 }, (_, index) => session(index))
    const first = { page: 0, isLast: false, sessions: sessions.slice(0, N) }
    await node.snapshot({ ...first, snapshotId: 1 })
    const second = { snapshotId: 1, page: 1, isLast: true, sessions: sessions.slice(N) }
    await expect(node.snapshot(second)).rejects.toMatchObject(TOO_LARGE)
    expect(store.sessions.size).toBe(0)
    await node.snapshot({ ...first, isLast: true, snapshotId: 2 })
    expect([store.sessions.size, registry.counts.nodeSessions]).toEqual([N, N])
    expect(registry.counts.refused['node-sessions']).toBe(1)
    await registry.close()
  })

  it('S7: after a restart the sessions that the store has count from the first renewal on', async () => {
    const { open } = world()
    const before = open({ maxNodeSessions: N })
    await fill(before.ofNode(NODE))
    const registry = open({ maxNodeSessions: N })
    const node = registry.ofNode(NODE)
    await node.renew({ count: 0, digest: '0'.repeat(16) })
    expect(registry.counts.nodeSessions).toBe(N)
    await expect(node.report(report(N))).rejects.toMatchObject(TOO_LARGE)
    await node.report(report(0, 1, 'gone'))
    await expect(node.report(report(N))).rejects.toMatchObject(TOO_LARGE)
    await node.report(report(0, 2, 'gone'))
    await node.report(report(N))
    await Promise.all([before.close(), registry.close()])
  })

  it('S7: of nodes N are served; one more is told to try again, until the lease of another one is over', async () => {
    const { clock, warnings, open } = world()
    const registry = open({ maxNodes: N })
    const ends = Array.from({ length: N + 1 }, (_, index) =>
      registry.ofNode({ id: 'node', incarnation: `i${index}` }),
    )
    const [last] = ends.splice(N)
    for (const [index, node] of ends.entries()) await node.report(report(index))
    for (let turn = 0; turn < 3; turn++) {
      await expect(last?.report(report(N))).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    }
    expect(registry.counts).toMatchObject({ nodes: N, refused: { nodes: 3 } })
    expect(warnings).toEqual(['nodes'])
    await clock.advance(34_000)
    await last?.report(report(N))
    expect(registry.counts.nodes).toBe(1)
    await registry.close()
  })

  it("S7: N sessions of the original's peers are taken, those of before a restart among them, and one more refused", async () => {
    const { store, warnings, open } = world()
    const before = open({ maxOriginalSessions: N })
    const subscribe = (registry: PresenceRegistry, index: number): Promise<unknown> =>
      registry.original().request({ type: 'SUBSCRIBE', ...session(index), roomId: ROOM })
    await subscribe(before, 0)
    await subscribe(before, 0)
    const registry = open({ maxOriginalSessions: N })
    for (let index = 1; index < N; index++) await subscribe(registry, index)
    await expect(subscribe(registry, N)).rejects.toMatchObject(TOO_LARGE)
    await subscribe(registry, 0)
    store.isAway = true
    await expect(subscribe(registry, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    store.isAway = false
    expect(registry.counts).toMatchObject({ originalSessions: N, refused: { 'original-sessions': 1 } })
    expect(warnings).toEqual(['original-sessions'])
    await registry.original().request({ type: 'DISCONNECT', sessionId: 's0' })
    await subscribe(registry, N)
    expect(store.sessions.size).toBe(N)
    await Promise.all([before.close(), registry.close()])
  })
})
