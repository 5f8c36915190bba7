import { once } from 'node:events'
import { connect } from 'node:net'
import { holdingOf, parseRoomId, type SessionPresence, silentLogger, userId } from '@sgs-chat/core'
import { grpcSessionPresence } from '@sgs-chat/grpc'
import { systemClock } from '@sgs-chat/node'
import { tcpSessionPresence } from '@sgs-chat/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { createStateServer, type StateServer } from '../src/state-server.ts'

const FREE = { TCP_PORT: '0', GRPC_PORT: '0', HTTP_PORT: '0' }
const opened: AsyncDisposable[] = []

async function serve(settings: Record<string, string> = {}): Promise<StateServer> {
  const server = await createStateServer(loadConfig({ ...FREE, ...settings }), silentLogger)
  opened.unshift(server)
  return server
}

function linked(link: SessionPresence): SessionPresence {
  opened.unshift(link)
  return link
}

afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
})

const report = (sessionId: string, user: string): Parameters<SessionPresence['report']>[0] => ({
  sessionId,
  userId: userId(user),
  number: 1,
  session: { state: 'present', rooms: [parseRoomId(7)] },
})

async function get(
  server: StateServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<[number, unknown]> {
  const response = await fetch(`http://127.0.0.1:${server.ports.http}${path}`, { headers })
  return [response.status, await response.json()]
}

/** As a Spring-Integration client: a line, and the line that answers it. */
async function line(server: StateServer, request: object): Promise<string> {
  const socket = connect(server.ports.tcp, '127.0.0.1')
  socket.write(`${JSON.stringify(request)}\r\n`)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.endsWith('\r\n')) socket.end()
  })
  await once(socket, 'close')
  return text
}

describe('the state server', () => {
  it('S3: TCP, gRPC, the original’s wire and HTTP have one truth', async () => {
    const server = await serve()
    const common = { host: '127.0.0.1', clock: systemClock() }
    const tcp = linked(
      tcpSessionPresence({ ...common, port: server.ports.tcp, node: { id: 'a', incarnation: '1' } }),
    )
    const grpc = linked(
      grpcSessionPresence({ ...common, port: server.ports.grpc, node: { id: 'b', incarnation: '1' } }),
    )
    await tcp.report(report('s1', 'alice'))
    await grpc.report(report('s2', 'alice'))
    const subscribe = { server: 'chat', user_id: 'bob', room_id: 7, session: 's3', type: 'SUBSCRIBE' }
    expect(JSON.parse(await line(server, subscribe))).toMatchObject({
      userId: 'bob',
      roomId: 7,
      sessionId: 's3',
    })
    const users = [
      { userId: 'alice', sessions: 2 },
      { userId: 'bob', sessions: 1 },
    ]
    for (const end of [tcp, grpc]) expect((await end.whoIsIn(parseRoomId(7))).users).toEqual(users)
    expect(await get(server, '/presence/rooms/7')).toEqual([
      200,
      { result: 'SUCCESS', data: { roomId: 7, users, complete: true } },
    ])
    expect(await get(server, '/presence/users/bob')).toMatchObject([
      200,
      { data: { sessionId: 's3', roomId: 7 } },
    ])
    expect(await tcp.renew(holdingOf([{ sessionId: 's1', number: 1 }]))).toBe('same')
    expect(await line(server, { ...subscribe, type: 'DISCONNECT', room_id: null, session: 'never' })).toBe(
      '\r\n',
    )
  })

  it('S3: health, and errors in the contract’s form', async () => {
    const server = await serve()
    expect(await get(server, '/health/live')).toEqual([200, { status: 'live' }])
    expect(await get(server, '/health/ready')).toEqual([200, { status: 'ready' }])
    expect(await get(server, '/presence/rooms/07')).toMatchObject([400, { code: 'CHAT-003' }])
    expect(await get(server, '/presence/users/%E0')).toMatchObject([400, { code: 'CHAT-003' }])
    expect(await get(server, '/presence/users/nobody')).toMatchObject([404, { code: 'CHAT-007' }])
    expect(await get(server, '/else')).toMatchObject([404, { code: 'CHAT-007' }])
  })

  it('S2: with STATE_TOKEN every query shows it; without, one that came through a proxy is refused', async () => {
    const token = 'sixteen characters'
    const guarded = await serve({ STATE_TOKEN: token })
    expect(await get(guarded, '/presence/rooms/7')).toMatchObject([401, { code: 'CHAT-032' }])
    expect(await get(guarded, '/presence/rooms/7', { authorization: `Bearer ${token}x` })).toMatchObject([
      401,
      {},
    ])
    expect(await get(guarded, '/presence/rooms/7', { authorization: `Bearer ${token}` })).toMatchObject([
      200,
      {},
    ])
    expect((await get(guarded, '/health/ready'))[0]).toBe(200)
    const open = await serve()
    expect((await get(open, '/presence/rooms/7', { 'x-forwarded-for': '192.0.2.1' }))[0]).toBe(401)
  })

  it('M5: what each link carried is scraped at METRICS_PORT', async () => {
    const server = await serve({ METRICS_PORT: '0' })
    await line(server, { server: 'chat', user_id: 'bob', room_id: 7, session: 's', type: 'SUBSCRIBE' })
    const scraped = await (await fetch(`http://127.0.0.1:${server.ports.metrics}/metrics`)).text()
    expect(scraped).toContain('chat_state_server_requests_total{link="tcp",result="answered"} 1')
    expect(scraped).toContain('chat_state_server_requests_total{link="grpc",result="answered"} 0')
    expect(scraped).toMatch(/chat_state_server_bytes_total\{link="tcp",direction="in"\} [1-9]/)
    expect(scraped).toContain('chat_state_server_sessions{peer="original"} 1')
    expect(scraped).toContain('chat_state_server_nodes 0')
    expect((await serve()).ports.metrics).toBeUndefined()
  })

  it('S7: over each way in two sessions are taken and a third is refused, and the metrics say so', async () => {
    const server = await serve({ METRICS_PORT: '0', MAX_NODE_SESSIONS: '2', MAX_ORIGINAL_SESSIONS: '2' })
    const { tcp, grpc, metrics } = server.ports
    const common = { host: '127.0.0.1', clock: systemClock() }
    const links = [
      linked(tcpSessionPresence({ ...common, port: tcp, node: { id: 'a', incarnation: '1' } })),
      linked(grpcSessionPresence({ ...common, port: grpc, node: { id: 'b', incarnation: '1' } })),
    ]
    for (const [index, link] of links.entries()) {
      const told = [1, 2, 3].map(session => link.report(report(`${index}-${session}`, 'alice')))
      const [first, second, third] = await Promise.allSettled(told)
      expect([first?.status, second?.status]).toEqual(['fulfilled', 'fulfilled'])
      expect(third).toMatchObject({ reason: { code: 'TOO_LARGE' } })
    }
    const subscribe = (session: string): Promise<string> =>
      line(server, { server: 'chat', user_id: 'bob', room_id: 7, session, type: 'SUBSCRIBE' })
    expect(JSON.parse(await subscribe('s1'))).toMatchObject({ sessionId: 's1' })
    expect(JSON.parse(await subscribe('s2'))).toMatchObject({ sessionId: 's2' })
    // The original's wire has no word for a failure: the connection is closed without an answer.
    expect(await subscribe('s3')).toBe('')
    const scraped = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    for (const expected of [
      'chat_state_server_nodes 2',
      'chat_state_server_sessions{peer="node"} 4',
      'chat_state_server_sessions{peer="original"} 2',
      'chat_state_server_refused_total{limit="node-sessions"} 4',
      'chat_state_server_refused_total{limit="original-sessions"} 1',
      'chat_state_server_refused_total{limit="nodes"} 0',
      'chat_state_server_connections_refused_total{link="tcp"} 0',
    ]) {
      expect(scraped).toContain(expected)
    }
    const users = [
      { userId: 'alice', sessions: 4 },
      { userId: 'bob', sessions: 2 },
    ]
    expect(await get(server, '/presence/rooms/7')).toMatchObject([200, { data: { users } }])
  })

  it('a port that is taken rejects, and what was started is stopped', async () => {
    const server = await serve()
    await expect(serve({ GRPC_PORT: String(server.ports.grpc) })).rejects.toMatchObject({
      code: 'TCP_BIND_FAILED',
    })
    await expect(serve({ HTTP_PORT: String(server.ports.http) })).rejects.toThrow('EADDRINUSE')
  })
})
