import { createServer } from 'node:http'
import { createChat } from '@sgs-chat/core'
import { jwtTokenVerifier } from '@sgs-chat/jwt'
import { memoryChatHistory, memoryChatLog } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'
import { chatEndpoint, preferSubprotocol, sockjsServer } from '@sgs-chat/ws'
import { benchPresence } from './bench-presence.ts'
import { BENCH_SECRET } from './bench-token.ts'
import { HOST, serverPort } from './server-port.ts'

/** Records that the log keeps; older ones are lost, as by a broker's retention. */
const MAX_RECORDS = 200_000
const SUBPROTOCOLS = ['v12.stomp', 'v11.stomp', 'v10.stomp']

/**
 * The chat node with its STOMP endpoint and everything on: tokens, limits, back-pressure, recovery. Log and history
 * are the ones in memory, so that fan-out is measured without a broker or a disk; only the rate limit is off, because
 * few publishers stand for many.
 */
const clock = systemClock()
const chat = await createChat({
  log: memoryChatLog({ maxRecords: MAX_RECORDS }),
  history: memoryChatHistory(),
  presence: benchPresence(process.env),
  clock,
  ids: systemIds(),
})
const tokens = jwtTokenVerifier({ key: { secret: BENCH_SECRET, encoding: 'utf8' } })
const endpoint = chatEndpoint({ chat, tokens, clock, rateLimit: 'off' })
const sockjs = sockjsServer({
  prefix: '/chat/connect',
  accept: connection => endpoint.accept(connection),
  selectSubprotocol: preferSubprotocol(SUBPROTOCOLS),
})
const server = createServer()
sockjs.attach(server)
server.listen(serverPort(), HOST)
