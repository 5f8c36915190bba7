import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { access, readFile, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { Config } from '@sgs-chat/server/config'
import { type Finding, ok, problem, warning } from './finding.ts'

const LEAST_FREE_BYTES = 1_073_741_824
/** HS256's own size (RFC 7518, section 3.2): a shorter secret can be guessed from one token. */
const LEAST_SECRET_BYTES = 32

/** The folder that everything is kept in: there or makeable, writable, with room left. */
export async function checkDataFolder({ DATA_DIR }: Config): Promise<Finding[]> {
  const path = resolve(DATA_DIR)
  const known = await stat(path).catch(() => undefined)
  if (known !== undefined && !known.isDirectory()) return [problem('DATA_DIR', `${path} is not a folder`)]
  const existing = known === undefined ? await nearestFolder(path) : path
  const isWritable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!isWritable) return [problem('DATA_DIR', `this user may not write into ${existing}`)]
  const { bavail, bsize } = await statfs(existing)
  const free = `${(Number(bavail * bsize) / 2 ** 30).toFixed(1)} GiB free`
  const state = known === undefined ? `${path} will be made` : `${path} can be written`
  return [
    bavail * bsize < LEAST_FREE_BYTES
      ? warning('DATA_DIR', `${state}, but only ${free}: sends are refused on a full disk`)
      : ok('DATA_DIR', `${state}, ${free}`),
  ]
}

async function nearestFolder(path: string): Promise<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const known = await stat(folder).catch(() => undefined)
    if (known?.isDirectory() === true || folder === dirname(folder)) return folder
  }
}

/** Whether the port is free, or served by a server of ours already. */
export async function checkPort({ PORT, HOST }: Config): Promise<Finding[]> {
  if (PORT === 0) return [ok('PORT', 'a free one is taken at start')]
  const host = HOST ?? '127.0.0.1'
  const server = createServer()
  try {
    server.listen(PORT, host)
    await once(server, 'listening')
    return [ok('PORT', `${PORT} at ${host} is free`)]
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') return [await whoServes(PORT)]
    if (code === 'EACCES') return [problem('PORT', `this user may not serve on ${PORT}`)]
    return [problem('HOST', `this machine has no address ${host}`)]
  } finally {
    server.close()
  }
}

const HEALTH_TIMEOUT_MS = 2_000

async function whoServes(port: number): Promise<Finding> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
      signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
    })
    if (response.status === 200)
      return warning('PORT', `${port} is served already, by a chat server that is ready`)
    return warning(
      'PORT',
      `${port} is served already, by something that answers /health/ready with ${response.status}`,
    )
  } catch {
    return problem('PORT', `${port} is in use, and not by a chat server`)
  }
}

/** The key that tokens are checked with. */
export async function checkKeys(config: Config): Promise<Finding[]> {
  const { JWT_SECRET: secret, JWT_SECRET_ENCODING: encoding, JWT_PUBLIC_KEY: publicKey } = config
  if (publicKey !== undefined) return [await checkPublicKey(publicKey)]
  if (secret === undefined)
    return [warning('JWT_SECRET', 'is not set: tokens are signed with a key for development')]
  const bytes = Buffer.from(secret, encoding).length
  if (bytes === 0) return [problem('JWT_SECRET', `holds nothing when it is read as ${encoding}`)]
  if (bytes < LEAST_SECRET_BYTES)
    return [
      warning(
        'JWT_SECRET',
        `is ${bytes} bytes long; under ${LEAST_SECRET_BYTES} it can be guessed from a token`,
      ),
    ]
  return [ok('JWT_SECRET', `${bytes} bytes`)]
}

async function checkPublicKey(given: string): Promise<Finding> {
  try {
    const pem = given.includes('-----BEGIN') ? given.replaceAll('\\n', '\n') : await readFile(given, 'utf8')
    return ok('JWT_PUBLIC_KEY', `a ${createPublicKey(pem).asymmetricKeyType} key`)
  } catch {
    return problem('JWT_PUBLIC_KEY', 'is neither a PEM public key nor the path of a file that holds one')
  }
}
