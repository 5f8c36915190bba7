import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { ChatError, type DetailsOf } from '@sgs-chat/core'
import jwt, { type Algorithm } from 'jsonwebtoken'
import { describe, expect, it } from 'vitest'
import { type JwtTokenVerifierOptions, jwtTokenVerifier, mintToken } from '../src/index.ts'

const NOW_MS = 1_760_000_000_500
const clock = { nowMs: () => NOW_MS }
const SECRET = 'a secret of thirty-two bytes or more'
const key = { secret: SECRET, encoding: 'utf8' } as const

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ec = (namedCurve: string): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve })
const p256 = ec('P-256')
const pem = (publicKey: KeyObject): string => publicKey.export({ type: 'spki', format: 'pem' }).toString()

const verifier = (options: Partial<JwtTokenVerifierOptions> = {}): ReturnType<typeof jwtTokenVerifier> =>
  jwtTokenVerifier({ key, clock, clockSkewMs: 0, ...options })

const signed = (claims: object, secret: string | Buffer = SECRET): string =>
  jwt.sign({ iat: 1_760_000_000, ...claims }, secret, { algorithm: 'HS256' })

/** A token of any header and payload, rightly signed. */
function handmade(header: object | string, payload: object | string, secret: string = SECRET): string {
  const part = (value: object | string): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

type Reason = DetailsOf<'INVALID_TOKEN'>['reason']

async function refusal(token: string, options: Partial<JwtTokenVerifierOptions> = {}): Promise<Reason> {
  const error: unknown = await verifier(options)
    .verify(token)
    .then(() => undefined)
    .catch((cause: unknown) => cause)
  if (!ChatError.is(error)) throw new Error(`not refused as a ChatError: ${String(error)}`)
  expect(error.code).toBe('INVALID_TOKEN')
  const texts = [error.message, error.stack, String(error.cause)].join('\n')
  for (const part of [token, ...token.split('.')]) if (part.length > 8) expect(texts).not.toContain(part)
  const details = error.details as DetailsOf<'INVALID_TOKEN'> | undefined
  if (details === undefined) throw new Error('no reason')
  return details.reason
}

describe('who a token speaks for', () => {
  it('takes the id claim, the end and the rooms', async () => {
    const token = signed({ id: '사용자 1', exp: 1_760_000_100, rooms: [0, '42', Number.MAX_SAFE_INTEGER] })
    expect(await verifier().verify(token)).toEqual({
      userId: '사용자 1',
      expiresAtMs: 1_760_000_100_000,
      rooms: [0, 42, Number.MAX_SAFE_INTEGER],
    })
    expect(await verifier().verify(signed({ id: 'alice' }))).toEqual({ userId: 'alice' })
    expect(await verifier().verify(signed({ id: 'alice', rooms: [] }))).toEqual({
      userId: 'alice',
      rooms: [],
    })
  })

  it('takes another user claim when set', async () => {
    const token = signed({ id: 'not me', sub: 'alice' })
    expect(await verifier({ userClaim: 'sub' }).verify(token)).toEqual({ userId: 'alice' })
  })

  it('user ids are texts of 1 to 255 characters without control characters', async () => {
    expect((await verifier().verify(signed({ id: 'x'.repeat(255) }))).userId).toHaveLength(255)
    for (const id of [
      undefined,
      null,
      '',
      7,
      true,
      ['a'],
      { a: 1 },
      'x'.repeat(256),
      'a\nb',
      'a\u0000',
      '\ud800',
    ]) {
      expect(await refusal(signed({ id })), JSON.stringify(id)).toBe('user')
    }
    expect(await refusal(signed({}), { userClaim: 'constructor' })).toBe('user')
    expect(await refusal(signed({}), { userClaim: '__proto__' })).toBe('user')
  })

  it('a rooms claim that is not a list of rooms is refused', async () => {
    for (const rooms of ['1', 1, {}, null, [-1], ['007'], [1.5], [2 ** 53], [null], Array(1_025).fill(1)]) {
      expect(await refusal(signed({ id: 'a', rooms })), JSON.stringify(rooms)?.slice(0, 20)).toBe('claims')
    }
  })
})

describe('times', () => {
  it('exp and nbf are compared by the given clock, with the given skew', async () => {
    const past = signed({ id: 'a', exp: 1_760_000_000 })
    expect(await refusal(past)).toBe('expired')
    expect(await verifier({ clockSkewMs: 501 }).verify(past)).toMatchObject({
      expiresAtMs: 1_760_000_000_501,
    })
    expect(await refusal(past, { clockSkewMs: 500 })).toBe('expired')
    const early = signed({ id: 'a', nbf: 1_760_000_001 })
    expect(await refusal(early)).toBe('claims')
    expect(await verifier({ clockSkewMs: 500 }).verify(early)).toEqual({ userId: 'a' })
  })

  it('times that are not numbers are refused', async () => {
    const header = { alg: 'HS256', typ: 'JWT' }
    for (const value of ['soon', null, true, '1760000100', [1]]) {
      expect(await refusal(handmade(header, { id: 'a', exp: value })), String(value)).toBe('claims')
      expect(await refusal(handmade(header, { id: 'a', nbf: value })), String(value)).toBe('claims')
    }
    expect(await verifier().verify(handmade(header, '{"id":"a","exp":1e300}'))).toEqual({
      userId: 'a',
      expiresAtMs: 8_640_000_000_000_000,
    })
  })
})

describe('keys and algorithms', () => {
  it('the secret may be the text or the base64 of its bytes', async () => {
    const bytes = Buffer.from('\u0000\u00ff and thirty-two bytes of a key here', 'latin1')
    const base64 = { secret: bytes.toString('base64'), encoding: 'base64' } as const
    const token = jwt.sign({ id: 'a' }, bytes)
    expect(await verifier({ key: base64 }).verify(token)).toMatchObject({ userId: 'a' })
    expect(await refusal(token, { key: { ...base64, encoding: 'utf8' } })).toBe('signature')
    const unpadded = { ...base64, secret: `${bytes.toString('base64url')}\n` }
    expect(await verifier({ key: unpadded }).verify(token)).toMatchObject({ userId: 'a' })
  })

  it.each<[Algorithm, string, { publicKey: KeyObject; privateKey: KeyObject }]>([
    ['RS256', 'RSA', rsa],
    ['RS384', 'RSA', rsa],
    ['RS512', 'RSA', rsa],
    ['ES256', 'P-256', p256],
    ['ES384', 'P-384', ec('P-384')],
    ['ES512', 'P-521', ec('P-521')],
  ])('takes %s with a public key of %s', async (algorithm, _kind, pair) => {
    const token = jwt.sign({ id: 'a' }, pair.privateKey, { algorithm })
    expect(await verifier({ key: { publicKeyPem: pem(pair.publicKey) } }).verify(token)).toMatchObject({
      userId: 'a',
    })
  })

  it('no algorithm but those of the key', async () => {
    const publicKeyPem = pem(rsa.publicKey)
    const none = `${handmade({ alg: 'none' }, { id: 'a' }).split('.').slice(0, 2).join('.')}.`
    expect(['algorithm', 'signature']).toContain(await refusal(none))
    expect(['algorithm', 'signature']).toContain(await refusal(none, { key: { publicKeyPem } }))
    expect(await refusal(handmade({ alg: 'none' }, { id: 'a' }))).toBe('algorithm')
    expect(await refusal(handmade({ alg: 'hs256' }, { id: 'a' }))).toBe('algorithm')
    // The public key's text as an HMAC secret: everybody knows it.
    expect(
      await refusal(handmade({ alg: 'HS256' }, { id: 'a' }, publicKeyPem), { key: { publicKeyPem } }),
    ).toBe('algorithm')
    expect(await refusal(jwt.sign({ id: 'a' }, SECRET, { algorithm: 'HS512' }))).toBe('algorithm')
    const ps = jwt.sign({ id: 'a' }, rsa.privateKey, { algorithm: 'PS256' })
    expect(await refusal(ps, { key: { publicKeyPem } })).toBe('algorithm')
    const rs384 = jwt.sign({ id: 'a' }, rsa.privateKey, { algorithm: 'RS384' })
    expect(await refusal(rs384, { key: { publicKeyPem }, algorithms: ['RS256'] })).toBe('algorithm')
  })

  it('keys that cannot be used are refused at start, without telling them', () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    const privatePem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const edwards = generateKeyPairSync('ed25519')
    const cases: [JwtTokenVerifierOptions['key'], RegExp][] = [
      [{ secret: '', encoding: 'utf8' }, /empty/],
      [{ secret: 'not base64!', encoding: 'base64' }, /not base64/],
      [{ secret: pem(rsa.publicKey), encoding: 'utf8' }, /PEM/],
      [{ publicKeyPem: 'rubbish' }, /not a PEM/],
      [{ publicKeyPem: privatePem }, /private/],
      [{ publicKeyPem: pem(small.publicKey) }, /2048/],
      [{ publicKeyPem: pem(edwards.publicKey) }, /RSA or EC/],
      [{ publicKeyPem: pem(ec('secp256k1').publicKey) }, /RSA or EC/],
    ]
    for (const [wrong, text] of cases) expect(() => verifier({ key: wrong })).toThrow(text)
    expect(() => verifier({ algorithms: ['RS256'] })).toThrow(/does not go with/)
    expect(() => verifier({ key: { publicKeyPem: pem(rsa.publicKey) }, algorithms: ['HS256'] })).toThrow(
      /go with/,
    )
    expect(() => verifier({ algorithms: [] })).toThrow(/at least one/)
    expect(() => verifier({ clockSkewMs: -1 })).toThrow(/clockSkewMs/)
  })

  it('says when the secret is shorter than HS256 asks for', () => {
    const weak = (secret: string, encoding: 'utf8' | 'base64'): boolean =>
      verifier({ key: { secret, encoding } }).isWeak
    expect(weak('x'.repeat(31), 'utf8')).toBe(true)
    expect(weak('x'.repeat(32), 'utf8')).toBe(false)
    expect(weak(Buffer.alloc(31).toString('base64'), 'base64')).toBe(true)
    expect(verifier({ key: { publicKeyPem: pem(p256.publicKey) } }).isWeak).toBe(false)
  })
})

describe('what is no token', () => {
  it('is refused with a reason, and is in no text', async () => {
    expect(await refusal('')).toBe('missing')
    const good = signed({ id: 'alice' })
    const [header, payload, signature] = good.split('.')
    const header256 = { alg: 'HS256' }
    for (const token of [
      'garbage-garbage',
      'a.b.c',
      '..',
      `${header}.${payload}`,
      `${good}.more-of-it`,
      handmade('not json!', { id: 'a' }),
      handmade(header256, 'not json at all'),
      handmade(header256, '"only a text"'),
      handmade(header256, 'null'),
      handmade(header256, '["a-list"]'),
      handmade({ ...header256, crit: ['exp-2'] }, { id: 'a' }),
      '안녕하세요.여러분.모두들',
      '\u0000'.repeat(100),
    ]) {
      expect(['malformed', 'signature', 'algorithm'], token.slice(0, 40)).toContain(await refusal(token))
    }
    expect(await refusal(signed({ id: 'alice' }, 'another secret of enough bytes here'))).toBe('signature')
    const other = Buffer.from(JSON.stringify({ id: 'mallory' })).toString('base64url')
    expect(await refusal(`${header}.${other}.${signature}`)).toBe('signature')
  })

  it('cut anywhere, or with any one character changed, it is refused', async () => {
    const good = signed({ id: 'alice' })
    for (let at = 1; at < good.length; at++) {
      await expect(verifier().verify(good.slice(0, at))).rejects.toMatchObject({ code: 'INVALID_TOKEN' })
      // The last character of a signature has two bits that no byte is made of.
      if (at === good.length - 1) continue
      const changed = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1)
      await expect(verifier().verify(changed)).rejects.toMatchObject({ code: 'INVALID_TOKEN' })
    }
  })

  it('8,192 bytes are read, one more is not', async () => {
    const pad = (bytes: number): string => {
      for (let length = bytes; length > 0; length--) {
        const token = signed({ id: 'a', pad: 'x'.repeat(length) })
        if (token.length <= bytes) return token
      }
      throw new Error('no token of that size')
    }
    const largest = pad(8_192)
    expect(largest.length).toBeGreaterThan(8_188)
    expect(await verifier().verify(largest)).toEqual({ userId: 'a' })
    expect(await refusal(`${largest}${'x'.repeat(8_193 - largest.length)}`)).toBe('malformed')
  })
})

describe('mintToken', () => {
  it('makes what the verifier takes', async () => {
    const token = mintToken({ key, userId: 'alice', lifetimeMs: 60_000, rooms: [1, 2], clock })
    expect(await verifier().verify(token)).toEqual({
      userId: 'alice',
      expiresAtMs: 1_760_000_060_000,
      rooms: [1, 2],
    })
    const endless = mintToken({ key, userId: 'bob', userClaim: 'sub', clock })
    expect(await verifier({ userClaim: 'sub' }).verify(endless)).toEqual({ userId: 'bob' })
  })

  it('makes none of a user that the verifier would refuse', () => {
    for (const userId of ['', 'x'.repeat(256), 'a\nb']) {
      expect(() => mintToken({ key, userId, clock })).toThrow(RangeError)
    }
  })
})
