import {
  bestEffortPresence,
  embeddedPresence,
  type OriginalPresence,
  parseRoomId,
  type SessionPresence,
  type SessionState,
  userId,
} from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { type TcpLinkOptions, tcpOriginalPresence } from '@sgs-chat/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { LinePeer } from './line-peer.ts'
import { clock, HOST } from './state-server.ts'

const ALICE = userId('alice')
const [ONE, TWO] = [parseRoomId(1), parseRoomId(2)]
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

/** The original: knows a user's last room and session, and a session's user. */
function original(): (line: string) => string {
  const users = new Map<string, { roomId: number; sessionId: string | null }>()
  const sessions = new Map<string, string>()
  return line => {
    const { type, user_id: user, room_id: roomId, session } = JSON.parse(line)
    if (type === 'SUBSCRIBE') {
      users.set(user, { roomId, sessionId: session })
      sessions.set(session, user)
      return JSON.stringify({ userId: user, roomId, sessionId: session, studyTime: null })
    }
    const found = sessions.get(session)
    const state = found === undefined ? undefined : users.get(found)
    if (found === undefined || state === undefined) return ''
    state.sessionId = null
    sessions.delete(session)
    // As some versions do: the bytes of the JSON, as text.
    const json = JSON.stringify({ userId: found, ...state, studyTime: '00:10' })
    return [...Buffer.from(json)].join(',')
  }
}

async function peerOf(answer: Parameters<typeof LinePeer.start>[0]): Promise<LinePeer> {
  const peer = await LinePeer.start(answer)
  opened.push(peer)
  return peer
}

function linkTo(port: number, options: Partial<TcpLinkOptions> = {}): ReturnType<typeof tcpOriginalPresence> {
  const link = tcpOriginalPresence({ host: HOST, port, clock, backoffMs: 1, maxBackoffMs: 10, ...options })
  opened.push(link)
  return link
}

function subscribe(link: OriginalPresence, sessionId: string): Promise<unknown> {
  return link.request({ type: 'SUBSCRIBE', sessionId, userId: ALICE, roomId: ONE })
}

describe('the original as peer', () => {
  it('L1: its three requests and its three kinds of answer', async () => {
    const link = linkTo((await peerOf(original())).port)
    const state = { userId: ALICE, roomId: ONE, sessionId: 's', studyTime: null }
    expect(await subscribe(link, 's')).toEqual(state)
    const left = { ...state, sessionId: null, studyTime: '00:10' }
    expect(await link.request({ type: 'UNSUBSCRIBE', sessionId: 's' })).toEqual(left)
    expect(await link.request({ type: 'DISCONNECT', sessionId: 's' })).toBeUndefined()
  })

  it('L1: of several rooms it is told the last, and a session that remains is told again after a leave', async () => {
    const peer = await peerOf(original())
    const own = embeddedPresence({ store: memoryPresenceStore(), clock })
    const presence: SessionPresence = bestEffortPresence({ peer: linkTo(peer.port), own })
    const report = (sessionId: string, number: number, session: SessionState): Promise<void> =>
      presence.report({ sessionId, userId: ALICE, number, session })
    await report('tab-1', 1, { state: 'present', rooms: [ONE] })
    await report('tab-2', 1, { state: 'present', rooms: [ONE, TWO] })
    await report('tab-2', 2, { state: 'present', rooms: [ONE] })
    await report('tab-2', 3, { state: 'gone' })
    const told = peer.lines
      .map(line => JSON.parse(line))
      .map(one => `${one.type} ${one.session} ${one.room_id}`)
    expect(told).toEqual([
      'SUBSCRIBE tab-1 1',
      'SUBSCRIBE tab-2 2',
      'SUBSCRIBE tab-2 1',
      'DISCONNECT tab-2 null',
      'SUBSCRIBE tab-1 1',
    ])
    expect(await presence.whoIsIn(ONE)).toMatchObject({ complete: false, users: [{ sessions: 1 }] })
  })
})

describe('the pool', () => {
  it('L8: connections are opened when they are needed, never more than may be, one request under way on each', async () => {
    const answers: (() => void)[] = []
    const held = new Promise<void>(resolve => answers.push(resolve))
    const peer = await peerOf(async () => {
      await held
      return ''
    })
    const link = linkTo(peer.port, { connections: 4 })
    expect(peer.accepted).toBe(0)
    const calls = Array.from({ length: 50 }, (_, index) => subscribe(link, `s${index}`))
    await expect.poll(() => peer.lines.length).toBe(4)
    answers[0]?.()
    await Promise.all(calls)
    expect([peer.accepted, peer.outOfTurn, peer.lines.length]).toEqual([4, 0, 50])
  })

  it('L8: a connection that the peer closed while it was idle costs no request; one that dies in it does', async () => {
    let dies = false
    const peer = await peerOf(() => (dies ? 'close' : ''))
    const link = linkTo(peer.port, { connections: 1 })
    await subscribe(link, 'before')
    peer.drop()
    await subscribe(link, 'after')
    dies = true
    await expect(subscribe(link, 'never')).rejects.toMatchObject({
      code: 'TCP_CONNECTION_FAILED',
      outcome: 'unknown',
    })
    dies = false
    await expect.poll(() => subscribe(link, 'again').catch(() => 'not yet')).toBeUndefined()
  })

  it('L8: after a failed connection requests fail at once until the backoff is over', async () => {
    const peer = await LinePeer.start(() => '')
    const { port } = peer
    await peer[Symbol.asyncDispose]()
    const link = linkTo(port, { backoffMs: 60_000, maxBackoffMs: 60_000 })
    await expect(subscribe(link, 's')).rejects.toMatchObject({ code: 'TCP_CONNECTION_FAILED' })
    await expect(subscribe(link, 's')).rejects.toMatchObject({ code: 'TCP_CONNECTION_FAILED' })
    expect(link.counters).toMatchObject({ requests: 2, failures: 2, connections: 0 })
  })

  it('L8 (G10.2): a report that timed out has closed its connection', async () => {
    const peer = await peerOf(() => undefined)
    const link = linkTo(peer.port, { requestTimeoutMs: 100 })
    await expect(subscribe(link, 's')).rejects.toMatchObject({ code: 'TCP_TIMEOUT', outcome: 'unknown' })
    await expect.poll(() => peer.open).toBe(0)
  })

  it('L8: a caller that gives up gets its reason, and its connection is not used again', async () => {
    const peer = await peerOf(() => undefined)
    const link = linkTo(peer.port)
    const controller = new AbortController()
    const call = link.request({ type: 'DISCONNECT', sessionId: 's' }, { signal: controller.signal })
    await expect.poll(() => peer.lines.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await expect.poll(() => peer.open).toBe(0)
  })

  it('L8: connections that nobody needs are closed', async () => {
    const peer = await peerOf(() => '')
    const link = linkTo(peer.port, { idleMs: 30 })
    await Promise.all([subscribe(link, 'a'), subscribe(link, 'b')])
    await expect.poll(() => peer.open).toBe(0)
    await subscribe(link, 'c')
    expect(peer.accepted).toBe(3)
  })
})
