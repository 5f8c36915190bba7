import type { NodeRef } from '@sgs-chat/core'
import { decodeLeaseAnswer, encodeLease, LEASE_VERSION, type LeaseAnswer } from './lease-wire.ts'
import type { LineConnection } from './line-connection.ts'
import { closedError, peerError, setupError } from './tcp-errors.ts'

export type Greet = (connection: LineConnection, timeoutMs: number) => Promise<void>

/** Says on a new connection who we are. A peer that does not answer as ours does is the original, or something else altogether. */
export function hello({ node, token }: { node: NodeRef; token?: string }): Greet {
  const line = encodeLease({
    type: 'HELLO',
    version: LEASE_VERSION,
    node,
    ...(token === undefined ? {} : { token }),
  })
  return async (connection, timeoutMs) => {
    const answer = answerOf(await connection.ask(line, { timeoutMs }))
    if (answer?.type === 'HELLO') return
    const error = answer?.type === 'ERROR' ? peerError(answer) : notOurs()
    connection.close(closedError())
    throw error
  }
}

function answerOf(line: string): LeaseAnswer | undefined {
  try {
    return decodeLeaseAnswer(line)
  } catch {
    return undefined
  }
}

function notOurs(): Error {
  return setupError(
    'the peer does not know HELLO: an original state server is reached by tcp://, not tcp+lease://',
  )
}
