import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

const SECRET_BYTES = 32
const SECRET_TEXT = /^[A-Za-z0-9_-]{43}$/

/**
 * A secret that is made once, kept in a file that only its owner can read, and the same ever after. Processes that ask at
 * the same time get the same one.
 * @throws Error for a file that holds something else, or cannot be read or made; the secret is in no text
 */
export async function keptSecret(
  path: string,
): Promise<{ readonly secret: string; readonly isNew: boolean }> {
  const kept = await readSecret(path)
  if (kept !== undefined) return { secret: kept, isNew: false }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const isNew = await publish(path, randomBytes(SECRET_BYTES).toString('base64url'))
  const secret = await readSecret(path)
  if (secret === undefined) throw new Error(`${path} was removed while it was made`)
  return { secret, isNew }
}

async function readSecret(path: string): Promise<string | undefined> {
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined
    throw cause
  }
  if (SECRET_TEXT.test(text)) return text
  throw new Error(`${path} does not hold a secret that this server has made`)
}

/** The whole file appears at once, or another process's was there first: a half one is never seen. */
async function publish(path: string, secret: string): Promise<boolean> {
  const half = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(half, 'wx', 0o600)
  try {
    await file.writeFile(`${secret}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(half, path)
    await syncFolder(dirname(path))
    return true
  } catch (cause) {
    if (isCode(cause, 'EEXIST')) return false
    throw cause
  } finally {
    await rm(half, { force: true })
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}
