import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChatClient } from './chat-client.ts'
import { getHistory, postChat } from './http-calls.ts'
import { dataFolder, ServerProcess } from './server-process.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const CLAIMS = { id: 'mallory', exp: Math.floor(Date.now() / 1_000) + 3_600 }

type Signer = (text: string) => string

const byHmac =
  (secret: string | Buffer, hash = 'sha256'): Signer =>
  text =>
    createHmac(hash, secret).update(text).digest('base64url')
const byRsa =
  (key: KeyObject): Signer =>
  text =>
    sign('sha256', Buffer.from(text), key).toString('base64url')
const unsigned: Signer = () => ''

function token(header: object, signer: Signer): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ typ: 'JWT', ...header })}.${part(CLAIMS)}`
  return `${text}.${signer(text)}`
}

/** What everybody knows of a public key, as somebody may have taken it for a secret. */
const PUBLIC_TEXTS: Readonly<Record<string, string | Buffer>> = {
  'the PEM': PEM,
  'the PEM without its last line end': PEM.trimEnd(),
  'the PEM with CR LF': PEM.replaceAll('\n', '\r\n'),
  'its base64': PEM.split('\n').slice(1, -2).join(''),
  'its DER': publicKey.export({ type: 'spki', format: 'der' }),
  'its PKCS #1 PEM': publicKey.export({ type: 'pkcs1', format: 'pem' }),
  'its JWK': JSON.stringify(publicKey.export({ format: 'jwk' })),
  nothing: '',
}

const own = stranger.publicKey.export({ format: 'jwk' })
const FORGED: readonly (readonly [string, string])[] = [
  ...Object.entries(PUBLIC_TEXTS).map(
    ([name, text]) => [`HS256 with ${name} as its secret`, token({ alg: 'HS256' }, byHmac(text))] as const,
  ),
  ['HS512 with the PEM', token({ alg: 'HS512' }, byHmac(PEM, 'sha512'))],
  ...['none', 'None', 'NONE', 'nOnE', ''].map(
    alg => [`alg ${JSON.stringify(alg)}, unsigned`, token({ alg }, unsigned)] as const,
  ),
  ['no alg at all, signed by a stranger', token({}, byRsa(stranger.privateKey))],
  ['alg none, but signed with the PEM', token({ alg: 'none' }, byHmac(PEM))],
  ['RS256 without a signature', token({ alg: 'RS256' }, unsigned)],
  ['RS256 with an HMAC for its signature', token({ alg: 'RS256' }, byHmac(PEM))],
  ['RS256 by a stranger', token({ alg: 'RS256' }, byRsa(stranger.privateKey))],
  ['a stranger’s key as jwk', token({ alg: 'RS256', jwk: own }, byRsa(stranger.privateKey))],
  [
    'a stranger’s key as x5c and x5u',
    token({ alg: 'RS256', x5c: ['AA=='], x5u: 'http://127.0.0.1:1/x' }, byRsa(stranger.privateKey)),
  ],
  ['a stranger’s jku', token({ alg: 'RS256', jku: 'http://127.0.0.1:1/keys' }, byRsa(stranger.privateKey))],
  ...[
    '../../../../dev/null',
    '/dev/null',
    "x' UNION SELECT 'secret",
    'http://127.0.0.1:1/',
    '\u0000',
  ].flatMap(
    kid =>
      [
        [`kid ${JSON.stringify(kid)}, HS256 with nothing`, token({ alg: 'HS256', kid }, byHmac(''))],
        [
          `kid ${JSON.stringify(kid)}, RS256 by a stranger`,
          token({ alg: 'RS256', kid }, byRsa(stranger.privateKey)),
        ],
      ] as const,
  ),
  ['crit', token({ alg: 'RS256', crit: ['exp'] }, byRsa(privateKey))],
]

describe('W60: with JWT_PUBLIC_KEY, on every way in', () => {
  const { path, remove } = dataFolder()
  let server: ServerProcess
  beforeAll(async () => {
    server = ServerProcess.spawn({ DATA_DIR: path, JWT_PUBLIC_KEY: PEM })
    await server.logged('serving')
  })
  afterAll(async () => {
    await server.stop('SIGKILL')
    remove()
  })

  it('the signer’s own token is taken, also with a kid that says nothing', async () => {
    for (const header of [{ alg: 'RS256' }, { alg: 'RS256', kid: '../../etc/passwd' }]) {
      const honest = token(header, byRsa(privateKey))
      expect((await getHistory(server.url, honest, '/1')).status).toBe(200)
      await (await ChatClient.connect(server.url, honest)).close()
    }
    expect(createPublicKey(PEM).equals(publicKey)).toBe(true)
  })

  it.each(FORGED)('%s is CHAT-032', async (_, forged) => {
    const chat = { roomId: 1, messageType: 'TEXT', content: 'x' }
    const refused = { status: 401, body: { code: 'CHAT-032' } }
    expect(await postChat(server.url, forged, chat)).toMatchObject(refused)
    expect(await getHistory(server.url, forged, '/1')).toMatchObject(refused)
    const refusal = await ChatClient.connect(server.url, forged).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 4001 })
  })

  it('and nothing of a forged token is in the log', () => {
    const said = server.lines.join('\n')
    for (const [, forged] of FORGED) expect(said).not.toContain(forged.split('.')[1])
  })
})
