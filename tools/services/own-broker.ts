/** A real broker that a test may kill and start again on its data. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const script = join(import.meta.dirname, 'kafka.sh')

/** A broker of the test's own, to be killed: beside the one that the tests share, on whatever port that is. */
export class OwnBroker {
  readonly #env: NodeJS.ProcessEnv

  readonly port: number

  /** @param first whose cluster it becomes the second of; that one is up */
  constructor(first?: OwnBroker) {
    this.port = (first?.port ?? Number(process.env.SGS_KAFKA_PORT ?? 29_092)) + 100
    this.#env = {
      ...process.env,
      SGS_KAFKA_PORT: String(this.port),
      SGS_KAFKA_NAME: `kafka-${this.port}`,
      SGS_KAFKA_HEAP: '256m',
      SGS_KAFKA_JOIN: first === undefined ? '' : String(first.port),
    }
  }

  /** @returns its address */
  async up(): Promise<string> {
    const { stdout } = await promisify(execFile)('bash', [script, 'up'], { env: this.#env })
    const address = /^KAFKA_BROKERS=(.*)$/m.exec(stdout)?.[1]
    if (address === undefined) throw new Error('the broker says no address')
    return address
  }

  async kill(): Promise<void> {
    await promisify(execFile)('bash', [script, 'kill'], { env: this.#env })
  }

  async wipe(): Promise<void> {
    await promisify(execFile)('bash', [script, 'wipe'], { env: this.#env })
  }
}
