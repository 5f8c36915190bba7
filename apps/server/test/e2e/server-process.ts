import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { mintToken } from '@sgs-chat/jwt'
import { afterEach } from 'vitest'

export const SECRET = 'a secret of the end-to-end tests, 32 bytes or more'
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A folder for one test's server; `remove` it at the end. */
export function dataFolder(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'sgs-chat-e2e-'))
  return { path: join(folder, 'data'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export function tokenFor(
  userId: string,
  options: { rooms?: readonly number[]; lifetimeMs?: number } = {},
): string {
  return mintToken({ key: { secret: SECRET, encoding: 'utf8' }, userId, ...options })
}

/** The server as its own process, as `pnpm start` runs it. */
export class ServerProcess {
  readonly child: ChildProcess
  /** Lines of both streams so far. */
  readonly lines: string[] = []
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>
  readonly #logged = new Set<() => void>()

  private constructor(environment: Readonly<Record<string, string>>, args: readonly string[]) {
    const { PATH = '', TZ = 'UTC' } = process.env
    this.child = spawn(process.execPath, ['--conditions=@sgs-chat/source', MAIN, ...args], {
      env: { PATH, TZ, HOST: '127.0.0.1', PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const streams = [this.child.stdout, this.child.stderr].map(async stream => {
      if (stream === null) return
      for await (const line of createInterface({ input: stream })) this.#take(line)
    })
    this.exit = once(this.child, 'exit').then(async ([code, signal]) => {
      await Promise.all(streams)
      for (const wake of this.#logged) wake()
      return { code: code as number | null, signal: signal as string | null }
    })
  }

  static spawn(environment: Readonly<Record<string, string>>, args: readonly string[] = []): ServerProcess {
    return new ServerProcess(environment, args)
  }

  /** A server that serves. */
  static async start(
    dataDir: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const server = new ServerProcess({ DATA_DIR: dataDir, JWT_SECRET: SECRET, ...environment }, [])
    await server.logged('serving')
    return server
  }

  /** Where it listens, once it has said so. */
  get url(): string {
    const said = this.#find('serving') ?? this.#find('listening, and waiting')
    return `http://localhost:${String(said?.port)}`
  }

  /** Resolves once the server has logged a message that begins so; rejects when it ends without. */
  async logged(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.#find(message)
      if (found !== undefined) return found
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the server ended without "${message}":\n${this.lines.join('\n')}`)
      }
      await new Promise<void>(resolve => {
        const wake = (): void => {
          this.#logged.delete(wake)
          resolve()
        }
        this.#logged.add(wake)
      })
    }
  }

  async stop(signal: NodeJS.Signals): Promise<number | string | null> {
    this.child.kill(signal)
    const { code, signal: by } = await this.exit
    return code ?? by
  }

  #find(message: string): Record<string, unknown> | undefined {
    for (const line of this.lines) {
      if (!line.startsWith('{')) continue
      const fields = JSON.parse(line) as Record<string, unknown>
      if (String(fields.msg).startsWith(message)) return fields
    }
    return undefined
  }

  #take(line: string): void {
    this.lines.push(line)
    for (const wake of this.#logged) wake()
  }
}

/** What a test file starts servers with. */
export interface TestServers {
  /** Steps that undo something, done after each test, the last one first. */
  readonly cleanups: (() => unknown)[]
  /** A path for one server's data. */
  readonly folder: () => string
  readonly spawn: (environment: Readonly<Record<string, string>>, args?: readonly string[]) => ServerProcess
  /** A server that serves; in a folder of its own when none is given. */
  readonly start: (environment?: Readonly<Record<string, string>>, dataDir?: string) => Promise<ServerProcess>
}

/** Called once at the top of a test file: whatever its tests start is gone after each of them. */
export function testServers(): TestServers {
  const cleanups: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  const folder = (): string => {
    const { path, remove } = dataFolder()
    cleanups.push(remove)
    return path
  }
  const kept = (server: ServerProcess): ServerProcess => {
    cleanups.push(() => server.stop('SIGKILL'))
    return server
  }
  return {
    cleanups,
    folder,
    spawn: (environment, args) => kept(ServerProcess.spawn(environment, args)),
    start: async (environment, dataDir = folder()) => kept(await ServerProcess.start(dataDir, environment)),
  }
}
