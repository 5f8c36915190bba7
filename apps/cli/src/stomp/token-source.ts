import { readFile } from 'node:fs/promises'
import { mintToken } from '@sgs-chat/jwt'
import { UsageError } from '../exit-codes.ts'
import { failureIn, NobodyThereError } from './stomp-connection.ts'

/** Gives a token for a user; given tokens are dealt out in turn, whomever they speak for. */
export type TokenSource = (userId: string) => Promise<string>

export interface TokenOptions {
  /** A file with one token a line. */
  readonly tokens?: string
  readonly nodes: readonly string[]
}

export const TOKEN_HELP = `Tokens come from --tokens (a file, one a line), else from JWT_SECRET (with JWT_SECRET_ENCODING and
JWT_USER_CLAIM, as the server reads them), else from the route for development of a server on this machine.`

/** Where tokens come from: a given list, else the secret in the environment, else the nodes' route for development. */
export async function tokenSource(
  { tokens, nodes }: TokenOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<TokenSource> {
  if (tokens !== undefined) return listed(await readTokens(tokens))
  const {
    JWT_SECRET: secret,
    JWT_SECRET_ENCODING: encoding = 'utf8',
    JWT_USER_CLAIM: userClaim = 'id',
  } = environment
  if (secret === undefined || secret === '') return remembered(userId => fromRoute(nodes, userId))
  if (encoding !== 'utf8' && encoding !== 'base64')
    throw new UsageError('JWT_SECRET_ENCODING must be utf8 or base64')
  return remembered(async userId =>
    mintToken({ key: { secret, encoding }, userId, userClaim, lifetimeMs: TOKEN_MS }),
  )
}

/** Longer than any run. */
const TOKEN_MS = 24 * 3_600_000

async function readTokens(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`--tokens: ${path} cannot be read`, { cause })
  })
  const tokens = text.split('\n').flatMap(line => (line.trim() === '' ? [] : [line.trim()]))
  if (tokens.length === 0) throw new UsageError(`--tokens: ${path} holds no token`)
  return tokens
}

function listed(tokens: readonly string[]): TokenSource {
  const users = new Map<string, string>()
  return userId => {
    const token = users.get(userId) ?? tokens[users.size % tokens.length] ?? ''
    users.set(userId, token)
    return Promise.resolve(token)
  }
}

function remembered(make: TokenSource): TokenSource {
  const made = new Map<string, string>()
  return async userId => {
    const token = made.get(userId) ?? (await make(userId))
    made.set(userId, token)
    return token
  }
}

const ROUTE_TIMEOUT_MS = 5_000

async function fromRoute(nodes: readonly string[], userId: string): Promise<string> {
  let problem: Error = new NobodyThereError(nodes)
  for (const node of nodes) {
    try {
      const response = await fetch(`${node}/chat/dev-token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user: userId }),
        signal: AbortSignal.timeout(ROUTE_TIMEOUT_MS),
      })
      const text = await response.text()
      if (response.status === 201) return (JSON.parse(text) as { data: { token: string } }).data.token
      problem = new UsageError(
        `${node} gives no tokens for development (${response.status} ${failureIn(text).code}): set JWT_SECRET, or give --tokens`,
      )
    } catch {
      // Nobody there, or nobody who speaks HTTP: perhaps the next one.
    }
  }
  throw problem
}
