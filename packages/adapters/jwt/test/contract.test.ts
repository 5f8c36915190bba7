import { generateKeyPairSync } from 'node:crypto'
import { type TokenClaims, type TokenVerifierHarness, testTokenVerifier } from '@sgs-chat/contract'
import jwt, { type Algorithm, type Secret } from 'jsonwebtoken'
import { type JwtKey, jwtTokenVerifier } from '../src/index.ts'

interface Signer {
  readonly key: JwtKey
  readonly sign: (claims: object, signingKey?: Secret, algorithm?: Algorithm) => string
  readonly otherKey: Secret
  /** Rightly signed, with what this key's kind does not allow. */
  readonly otherAlgorithms: readonly [Secret, Algorithm][]
}

function secretSigner(): Signer {
  const secret = 'a secret that is longer than thirty-two bytes'
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return {
    key: { secret, encoding: 'utf8' },
    sign: (claims, key = secret, algorithm = 'HS256') => jwt.sign(claims, key, { algorithm }),
    otherKey: `${secret}!`,
    otherAlgorithms: [
      [secret, 'HS384'],
      [secret, 'HS512'],
      [rsa.privateKey, 'RS256'],
      ['', 'none'],
    ],
  }
}

function pairSigner(): Signer {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const publicKeyPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return {
    key: { publicKeyPem },
    sign: (claims, key = pair.privateKey, algorithm = 'RS256') => jwt.sign(claims, key, { algorithm }),
    otherKey: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey,
    otherAlgorithms: [
      [Buffer.from(publicKeyPem).toString('base64'), 'HS256'],
      [pair.privateKey, 'PS256'],
      ['', 'none'],
    ],
  }
}

function claimsOf({ userId, expiresInMs, rooms }: TokenClaims): object {
  return {
    id: userId,
    ...(expiresInMs === undefined ? {} : { exp: (Date.now() + expiresInMs) / 1_000 }),
    ...(rooms === undefined ? {} : { rooms }),
  }
}

async function createHarness({
  key,
  sign,
  otherKey,
  otherAlgorithms,
}: Signer): Promise<TokenVerifierHarness> {
  const seconds = Date.now() / 1_000
  return {
    verifier: jwtTokenVerifier({ key, clockSkewMs: 0 }),
    makeGood: async claims => sign(claimsOf(claims)),
    makeExpired: async () => sign({ id: 'alice', exp: seconds - 1 }),
    makeNotYetValid: async () => sign({ id: 'alice', nbf: seconds + 3_600 }),
    makeOfOtherKey: async () => sign({ id: 'alice' }, otherKey),
    makeOfOtherAlgorithms: async () =>
      otherAlgorithms.map(([other, algorithm]) => sign({ id: 'alice' }, other, algorithm)),
    makeWithUser: async user => sign(user === undefined ? {} : { id: user }),
    dispose: async () => undefined,
  }
}

for (const [kind, signer] of [
  ['HS256', secretSigner()],
  ['RS256', pairSigner()],
] as const) {
  testTokenVerifier({ name: `jwt, ${kind}`, create: () => createHarness(signer) })
}
