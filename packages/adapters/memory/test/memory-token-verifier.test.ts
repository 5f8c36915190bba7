import { type TokenVerifierHarness, testTokenVerifier } from '@sgs-chat/contract'
import { parseRoomId, type User, userId } from '@sgs-chat/core'
import { memoryTokenVerifier } from '@sgs-chat/memory'

async function createHarness(): Promise<TokenVerifierHarness> {
  const tokens: Record<string, User> = {}
  const keep = (user: User): string => {
    const token = `token-number-${Object.keys(tokens).length}-of-the-memory-verifier`
    tokens[token] = user
    return token
  }
  return {
    verifier: memoryTokenVerifier({ tokens }),
    makeGood: async claims =>
      keep({
        userId: userId(claims.userId),
        ...(claims.expiresInMs === undefined ? {} : { expiresAtMs: Date.now() + claims.expiresInMs }),
        ...(claims.rooms === undefined ? {} : { rooms: claims.rooms.map(parseRoomId) }),
      }),
    makeExpired: async () => keep({ userId: userId('alice'), expiresAtMs: Date.now() - 1 }),
    dispose: async () => undefined,
  }
}

const LISTED = 'its tokens are listed, not signed'

testTokenVerifier({
  name: 'memory',
  create: createHarness,
  skip: ['T8', 'T9', 'T10', 'T11'].map(rule => ({ rule, why: LISTED })),
})
