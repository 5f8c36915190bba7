import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JwtKey } from '@sgs-chat/jwt'
import type { Config } from './config.ts'
import { keptSecret } from './secret-file.ts'
import { StartError } from './start-error.ts'

/** What tokens are checked with, and what file links are signed with. */
export interface Keys {
  readonly jwt: JwtKey
  /** No key was set: the one that DATA_DIR keeps is for development, and tokens may be minted with it. */
  readonly devKey: Extract<JwtKey, { secret: string }> | undefined
  readonly linkSecret: string
}

/** Whether the server makes its own key: no key of the operator's is set. */
export function usesDevKey(config: Config): boolean {
  return config.JWT_SECRET === undefined && config.JWT_PUBLIC_KEY === undefined
}

/** Reads, or makes, every key. The links' secret stays when the tokens' key changes: links are in chats for ever. */
export async function loadKeys(config: Config): Promise<Keys> {
  const devKey = usesDevKey(config) ? await loadDevKey(config) : undefined
  return {
    jwt: devKey ?? (await operatorsKey(config)),
    devKey,
    linkSecret:
      config.FILE_LINK_SECRET ?? sharedLinkSecret(config) ?? (await secretOf(config, 'link-secret')),
  }
}

/** Several nodes must sign links alike: what they have in common already is the tokens' secret. */
function sharedLinkSecret({ KAFKA_BROKERS, SINGLE_NODE, JWT_SECRET }: Config): string | undefined {
  if (KAFKA_BROKERS === undefined || SINGLE_NODE || JWT_SECRET === undefined) return undefined
  return createHmac('sha256', JWT_SECRET).update('links to files').digest('base64url')
}

/** The key of the development profile, made when it is not there yet. */
export async function loadDevKey(config: Config): Promise<Extract<JwtKey, { secret: string }>> {
  return { secret: await secretOf(config, 'dev-jwt-secret'), encoding: 'utf8' }
}

async function secretOf(config: Config, name: string): Promise<string> {
  try {
    return (await keptSecret(join(config.DATA_DIR, name))).secret
  } catch (cause) {
    throw new StartError('DATA_DIR', `no secret can be kept there: ${messageOf(cause)}`, { cause })
  }
}

async function operatorsKey({ JWT_SECRET, JWT_SECRET_ENCODING, JWT_PUBLIC_KEY }: Config): Promise<JwtKey> {
  if (JWT_SECRET !== undefined) return { secret: JWT_SECRET, encoding: JWT_SECRET_ENCODING }
  if (JWT_PUBLIC_KEY === undefined) throw new StartError('JWT_SECRET', 'there is no key')
  // A PEM in an environment variable often has its line ends escaped.
  if (JWT_PUBLIC_KEY.includes('-----BEGIN')) return { publicKeyPem: JWT_PUBLIC_KEY.replaceAll('\\n', '\n') }
  try {
    return { publicKeyPem: await readFile(JWT_PUBLIC_KEY, 'utf8') }
  } catch (cause) {
    throw new StartError(
      'JWT_PUBLIC_KEY',
      'is neither a PEM public key nor the path of a file that can be read',
      { cause },
    )
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
