import { createHmac } from 'node:crypto'

/** The secret of servers that live for one measurement on the loopback interface. */
export const BENCH_SECRET = 'a secret of the benchmarks, of 32 bytes or more'

const LIFETIME_SECONDS = 3_600
const HEADER = base64url({ alg: 'HS256', typ: 'JWT' })

/** A token as the front end's users have it: HS256, the user in the claim `id`. */
export function mintBenchToken(userId: string): string {
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const signed = `${HEADER}.${base64url({ id: userId, iat: nowSeconds, exp: nowSeconds + LIFETIME_SECONDS })}`
  return `${signed}.${createHmac('sha256', BENCH_SECRET).update(signed).digest('base64url')}`
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
