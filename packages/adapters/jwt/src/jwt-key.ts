import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import type { Algorithm } from 'jsonwebtoken'

/** What tokens are checked with: a secret shared with whoever signs, or the signer's public key. */
export type JwtKey =
  | { readonly secret: string; readonly encoding: 'utf8' | 'base64' }
  | { readonly publicKeyPem: string }

/** A key with the only algorithms it may be used for. */
export interface PinnedKey {
  readonly key: KeyObject
  readonly algorithms: readonly [Algorithm, ...Algorithm[]]
  /** A secret shorter than HS256's own 256 bits (RFC 7518 section 3.2): it can be guessed offline from one token. */
  readonly isWeak: boolean
}

const HS256_MIN_BYTES = 32
const MIN_RSA_BITS = 2_048

/** RFC 4648 section 4 or 5, whole groups, padded or not; line ends around it are the editor's. */
const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?$/

const CURVE_ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}

/**
 * The key and the algorithms its kind allows: never `none`, and never HS with a public key, which would make the
 * public text the secret (RFC 8725 section 3.1).
 * @throws RangeError for a key that cannot be used; the key itself is in no text
 */
export function pinKey(key: JwtKey, algorithms?: readonly Algorithm[]): PinnedKey {
  const pinned = 'secret' in key ? pinSecret(key.secret, key.encoding) : pinPublicKey(key.publicKeyPem)
  if (algorithms === undefined) return pinned
  const [first, ...others] = algorithms
  if (first === undefined) throw new RangeError('algorithms must name at least one')
  for (const algorithm of algorithms) {
    if (!pinned.algorithms.includes(algorithm)) {
      throw new RangeError(`the algorithm ${algorithm} does not go with this kind of key`)
    }
  }
  return { ...pinned, algorithms: [first, ...others] }
}

function pinSecret(secret: string, encoding: 'utf8' | 'base64'): PinnedKey {
  const bytes = secretBytes(secret, encoding)
  if (bytes.length === 0) throw new RangeError('the JWT secret is empty')
  return { key: createSecretKey(bytes), algorithms: ['HS256'], isWeak: bytes.length < HS256_MIN_BYTES }
}

function secretBytes(secret: string, encoding: 'utf8' | 'base64'): Buffer {
  if (/-----BEGIN [A-Z ]*(?:KEY|CERTIFICATE)-----/.test(secret)) {
    throw new RangeError('the JWT secret looks like a PEM key; give a public key as such')
  }
  if (encoding === 'utf8') return Buffer.from(secret, 'utf8')
  const text = secret.trim()
  if (!BASE64.test(text)) throw new RangeError('the JWT secret is not base64')
  return Buffer.from(text, 'base64')
}

function pinPublicKey(pem: string): PinnedKey {
  let key: KeyObject
  try {
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
      throw new RangeError('the JWT public key is a private key, which has no place here')
    }
    key = createPublicKey(pem)
  } catch (cause) {
    if (cause instanceof RangeError && cause.message.startsWith('the JWT')) throw cause
    throw new RangeError('the JWT public key is not a PEM public key or certificate', { cause })
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = key
  if (asymmetricKeyType === 'rsa') {
    if ((asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) {
      throw new RangeError(
        `the JWT public key is an RSA key of under ${MIN_RSA_BITS} bits (RFC 7518 section 3.3)`,
      )
    }
    return { key, algorithms: ['RS256', 'RS384', 'RS512'], isWeak: false }
  }
  const algorithm = CURVE_ALGORITHMS[asymmetricKeyDetails?.namedCurve ?? '']
  if (asymmetricKeyType !== 'ec' || algorithm === undefined) {
    throw new RangeError('the JWT public key must be RSA or EC on P-256, P-384 or P-521')
  }
  return { key, algorithms: [algorithm], isWeak: false }
}
