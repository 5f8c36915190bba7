import { parseArgs } from 'node:util'
import { mintToken } from '@sgs-chat/jwt'
import { type Config, ConfigError, loadConfig } from './config.ts'
import { loadDevKey } from './keys.ts'
import { StartError } from './start-error.ts'

const USAGE = `Usage: pnpm run token --user <id> [--rooms 1,2] [--ttl 1h] [--json]

Prints a token that the server with the same settings accepts: signed with JWT_SECRET,
or with the key for development in DATA_DIR, which is made when it is not there.

  --user <id>      who the token speaks for
  --rooms <list>   the rooms its user may enter where ROOM_ACCESS=claim
  --ttl <time>     how long it counts: 30s, 15m, 1h, 7d (default 12h)
  --json           prints {"token","user","expiresAt"} instead of the bare token

Ends with
  0  a token was printed, and nothing else on standard output
  1  a setting is wrong, there is only JWT_PUBLIC_KEY to go by, or DATA_DIR cannot be used
  2  the command line is wrong

Examples
  $ pnpm run token --user alice
  $ pnpm chat token --user alice --rooms 7,8 --ttl 15m
  $ curl -H "Authorization: Bearer $(pnpm -s chat token --user alice)" http://localhost:8031/chat/history/7
`

const EXIT_FAILED = 1
const EXIT_USAGE = 2

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

class UsageError extends Error {}

function lifetimeMs(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? []
  const unitMs = UNIT_MS[unit]
  if (count === undefined || unitMs === undefined)
    throw new UsageError('--ttl must be a time such as 30s, 15m, 1h or 7d')
  return Number(count) * unitMs
}

function roomsOf(text: string): number[] {
  return text.split(',').map(one => {
    const room = /^(0|[1-9]\d{0,15})$/.test(one.trim()) ? Number(one) : Number.NaN
    if (!Number.isSafeInteger(room)) throw new UsageError('--rooms must be a comma list of room ids')
    return room
  })
}

async function signingKey(config: Config): Promise<Awaited<ReturnType<typeof loadDevKey>>> {
  if (config.JWT_PUBLIC_KEY !== undefined) {
    throw new StartError('JWT_PUBLIC_KEY', 'tokens are signed elsewhere; this server only has the public key')
  }
  const { JWT_SECRET: secret, JWT_SECRET_ENCODING: encoding } = config
  return secret === undefined ? loadDevKey(config) : { secret, encoding }
}

function parsedArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.filter(arg => arg !== '--'),
      options: {
        user: { type: 'string' },
        rooms: { type: 'string' },
        ttl: { type: 'string', default: '12h' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause))
  }
}

async function tokenCommand(args: readonly string[]): Promise<void> {
  const { user, rooms, ttl, json, help } = parsedArgs(args)
  if (help) {
    console.log(USAGE)
    return
  }
  if (user === undefined || user === '') throw new UsageError('--user is missing')
  const { config } = loadConfig()
  const ttlMs = lifetimeMs(ttl)
  const expiresAt = new Date(Date.now() + ttlMs).toISOString()
  const token = mintToken({
    key: await signingKey(config),
    userId: user,
    userClaim: config.JWT_USER_CLAIM,
    lifetimeMs: ttlMs,
    ...(rooms === undefined ? {} : { rooms: roomsOf(rooms) }),
  })
  console.log(json ? JSON.stringify({ token, user, expiresAt }) : token)
}

/** `pnpm run token` and `pnpm chat token`: prints a token, or what is wrong; resolves with the exit code. */
export async function printToken(args: readonly string[]): Promise<number> {
  try {
    await tokenCommand(args)
    return 0
  } catch (error) {
    if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`)
    else if (error instanceof ConfigError) console.error(`${error.message}\n  ${error.problems.join('\n  ')}`)
    else console.error(error instanceof Error ? error.message : String(error))
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
  }
}
