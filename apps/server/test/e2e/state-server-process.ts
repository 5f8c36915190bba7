import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../state-server/src/main.ts', import.meta.url))

export interface StatePorts {
  readonly tcp: number
  readonly grpc: number
  readonly http: number
  /** With METRICS_PORT. */
  readonly metrics?: number
}

/** The state server as its own process, as `pnpm start:state` runs it. */
export class StateServerProcess {
  readonly ports: StatePorts
  /** Of its log, so far. */
  readonly lines: readonly string[]
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ports: StatePorts, lines: readonly string[]) {
    this.#child = child
    this.ports = ports
    this.lines = lines
  }

  /** Resolves once it serves. @param ports of a server that was there before; left out, any that are free */
  static async start(
    settings: Readonly<Record<string, string>>,
    ports?: StatePorts,
  ): Promise<StateServerProcess> {
    const { PATH = '' } = process.env
    const { tcp, grpc, http } = ports ?? { tcp: 0, grpc: 0, http: 0 }
    const numbers = { TCP_PORT: String(tcp), GRPC_PORT: String(grpc), HTTP_PORT: String(http) }
    const child = spawn(process.execPath, ['--conditions=@sgs-chat/source', MAIN], {
      env: { PATH, ...numbers, ...settings },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const lines: string[] = []
    const bound = await new Promise<StatePorts>((resolve, reject) => {
      const log = createInterface({ input: child.stderr })
      log.on('line', line => {
        lines.push(line)
        const { msg, ...fields } = JSON.parse(line) as { msg: string } & StatePorts
        if (msg === 'serving') resolve(fields)
      })
      log.on('close', () => reject(new Error(`the state server ended:\n${lines.join('\n')}`)))
    })
    return new StateServerProcess(child, bound, lines)
  }

  /** SIGSTOP: it answers no more, and its sockets stay open; SIGCONT: it goes on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
