/** Real servers for tests and local work: one that the environment names, else one that a script of this folder starts. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type ServiceName = 'chromium' | 'kafka' | 'mongodb' | 'python-grpc' | 'redis' | 's3'

/** A server that answers. */
export interface Service {
  /** What `ADDRESS_SETTING` says: host:port list, URL, or the path of a program. */
  readonly address: string
  /** Every setting of it, as an app would find them in its environment. */
  readonly env: Readonly<Record<string, string>>
}

/** The setting that holds a service's address, and the others that go with it. */
const SETTINGS: Readonly<
  Record<ServiceName, { readonly address: string; readonly others: readonly string[] }>
> = {
  kafka: { address: 'KAFKA_BROKERS', others: ['KAFKA_SASL_BROKERS'] },
  mongodb: { address: 'MONGODB_URL', others: [] },
  // No server: an interpreter that has grpcio.
  'python-grpc': { address: 'GRPC_PYTHON', others: [] },
  redis: { address: 'REDIS_URL', others: [] },
  s3: {
    address: 'S3_ENDPOINT',
    others: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'S3_REGION', 'S3_BUCKET'],
  },
  chromium: { address: 'CHROMIUM_PATH', others: [] },
}

const started = new Map<ServiceName, Promise<Service | undefined>>()

/**
 * A real server. An address in the environment wins; else `tools/services/<name>.sh up` starts one and prints its
 * settings as KEY=VALUE lines (on failure it exits with another code than 0 and says why on stderr).
 * @returns undefined when there is none: what is skipped and why was printed; with CI=true that is an error instead
 */
export function useService(name: ServiceName): Promise<Service | undefined> {
  const known = started.get(name) ?? findService(name)
  started.set(name, known)
  return known
}

async function findService(name: ServiceName): Promise<Service | undefined> {
  const { address, others } = SETTINGS[name]
  const given = process.env[address]
  if (given !== undefined && given !== '') {
    const env = Object.fromEntries([address, ...others].map(key => [key, process.env[key] ?? '']))
    return { address: given, env }
  }
  try {
    return await startService(name, address)
  } catch (error) {
    const why = `no ${name}: ${error instanceof Error ? error.message : String(error)} (or set ${address})`
    if (process.env.CI === 'true') throw new Error(why, { cause: error })
    process.stderr.write(`SKIPPED, ${why}\n`)
    return undefined
  }
}

async function startService(name: ServiceName, addressSetting: string): Promise<Service> {
  const script = join(import.meta.dirname, `${name}.sh`)
  if (!existsSync(script)) throw new Error(`there is no tools/services/${name}.sh`)
  const { stdout } = await promisify(execFile)('bash', [script, 'up'], { timeout: START_MS }).catch(
    (error: { stderr?: string; message: string }) => {
      throw new Error(error.stderr?.trim() || error.message, { cause: error })
    },
  )
  const env = Object.fromEntries(
    stdout.split('\n').flatMap(line => {
      const [, key, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? []
      return key === undefined || value === undefined ? [] : [[key, value]]
    }),
  )
  const address = env[addressSetting]
  if (address === undefined) throw new Error(`tools/services/${name}.sh up printed no ${addressSetting}=…`)
  return { address, env }
}

/** The first start may have to fetch or build the server. */
const START_MS = 900_000
