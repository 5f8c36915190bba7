import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

export interface ChildOptions {
  readonly program: URL
  readonly nodeOptions?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** The one core it may use, where the system can pin. */
  readonly core: number
}

export const SERVER_CORE = 0
export const GENERATOR_CORE = 1
/** Of a third process: a core of its own where there is one, else the generator's. */
export const THIRD_CORE: number = availableParallelism() > 2 ? 2 : GENERATOR_CORE

/** Of util-linux: not on every system. */
const PIN = 'taskset'

/** Whether each process gets a core of its own. */
export const canPin: boolean =
  availableParallelism() > GENERATOR_CORE && spawnSync(PIN, ['--version']).status === 0

/** This process as well keeps to the core, where the system can pin. */
export function pinSelf(core: number): void {
  if (canPin) spawnSync(PIN, ['-a', '-c', '-p', String(core), String(process.pid)])
}

/** Starts a program of this workspace from its sources, with IPC; what it writes goes to our standard error. */
export function startChild({
  program,
  nodeOptions = [],
  environment = {},
  core,
}: ChildOptions): ChildProcess {
  const node = [
    process.execPath,
    '--conditions=@sgs-chat/source',
    '--disable-warning=ExperimentalWarning',
    ...nodeOptions,
    program.pathname,
  ]
  const [command = process.execPath, ...args] = canPin ? [PIN, '-c', String(core), ...node] : node
  return spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

/** The next message that `accept` takes; rejects when the child ends before, or after `timeoutMs`. */
export function nextMessage<Message, Wanted extends Message>(
  child: ChildProcess,
  accept: (message: Message) => message is Wanted,
  timeoutMs: number,
): Promise<Wanted> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer)
      child.off('message', onMessage)
      child.off('exit', onExit)
    }
    const onMessage = (message: unknown): void => {
      // Both ends are ours: the channel carries nothing but the union in `messages.ts`.
      const known = message as Message
      if (!accept(known)) return
      done()
      resolve(known)
    }
    const onExit = (): void => {
      done()
      reject(new Error(`process ${child.pid} ended with ${child.exitCode ?? child.signalCode}`))
    }
    const timer = setTimeout(() => {
      done()
      reject(new Error(`process ${child.pid} did not answer within ${timeoutMs} ms`))
    }, timeoutMs)
    child.on('message', onMessage)
    child.on('exit', onExit)
  })
}

const END_TIMEOUT_MS = 5_000

/** Waits for the end, and enforces it. */
export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}
