import { Worker } from 'node:worker_threads'
import type { Logger } from '@sgs-chat/core'
import { type StorePart, toOpenError, workerLostError } from './sqlite-errors.ts'
import type { CloseRequest, Hello, Numbered, WorkerOptions } from './worker-protocol.ts'

interface Waiting<Reply> {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/** Requests to one worker thread and their answers. When the thread ends, all that waits is rejected, and all that comes. */
export class WorkerLink<Request, Reply> {
  readonly #worker: Worker
  readonly #part: StorePart
  readonly #waiting = new Map<number, Waiting<Reply>>()
  #nextId = 0
  readonly #logger: Logger
  #isClosing = false
  #lost: Error | undefined

  constructor(worker: Worker, part: StorePart, logger: Logger) {
    this.#worker = worker
    this.#part = part
    this.#logger = logger
    worker.on('message', ({ id, body }: Numbered<Reply>) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      waiting?.resolve(body)
    })
    worker.on('error', cause => this.#fail(cause))
    worker.on('exit', code => this.#fail(new Error(`the worker thread ended with code ${code}`)))
  }

  get pending(): number {
    return this.#waiting.size
  }

  post(body: Request): Promise<Reply> {
    return this.#post(body)
  }

  /** The thread's last request: it closes the file, answers, and ends. */
  close(): Promise<Reply> {
    this.#isClosing = true
    return this.#post({ close: true })
  }

  #post(body: Request | CloseRequest): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost)
        return
      }
      const id = this.#nextId++
      this.#waiting.set(id, { resolve, reject })
      const message: Numbered<Request | CloseRequest> = { id, body }
      this.#worker.postMessage(message)
    })
  }

  /** Resolves when the thread is gone: after its answer to `close`, or by force. */
  async terminate(): Promise<void> {
    this.#isClosing = true
    await this.#worker.terminate()
  }

  #fail(cause: unknown): void {
    if (!this.#isClosing && this.#lost === undefined) {
      this.#logger.error('a thread of the store has ended; the process must be started again', {
        thread: this.#part,
        error: cause instanceof Error ? cause : new Error(String(cause)),
      })
    }
    this.#lost ??= workerLostError(this.#part, cause)
    for (const waiting of this.#waiting.values()) waiting.reject(this.#lost)
    this.#waiting.clear()
  }
}

export interface StartedWorker<State, Request, Reply> {
  readonly link: WorkerLink<Request, Reply>
  readonly state: State
}

type WorkerName = 'write-worker' | 'read-worker'

const SOURCES: Readonly<Record<WorkerName, URL>> = {
  'write-worker': new URL('./write-worker.ts', import.meta.url),
  'read-worker': new URL('./read-worker.ts', import.meta.url),
}

/** The compiler rewrites imports to `.js`, but no URL. */
function workerUrl(name: WorkerName): URL {
  const source = SOURCES[name]
  return import.meta.url.endsWith('.ts') ? source : new URL(source.href.replace(/\.ts$/, '.js'))
}

/** A thread that is starting, and opens the file once it is told to. */
export class StartingWorker<State, Request, Reply> {
  readonly #worker: Worker
  readonly #options: WorkerOptions
  readonly #hello: Promise<Hello<State>>

  constructor(name: WorkerName, options: WorkerOptions) {
    const worker = new Worker(workerUrl(name), {
      name: `sqlite ${name}`,
      workerData: options,
      // The flags of the main thread (a debugger's, a test runner's) are not the worker's.
      execArgv: [],
    })
    this.#worker = worker
    this.#options = options
    this.#hello = new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', code => reject(new Error(`the ${name} ended with code ${code}`)))
    })
    // Told by `open`; one that is never opened has nobody to tell.
    this.#hello.catch(() => undefined)
  }

  /** @throws ChatError UNAVAILABLE when it cannot open the file */
  async open(part: StorePart, logger: Logger): Promise<StartedWorker<State, Request, Reply>> {
    this.#worker.postMessage('open')
    const hello = await this.#hello
    if ('failure' in hello) throw toOpenError(this.#options.path, hello.failure)
    return { link: new WorkerLink(this.#worker, part, logger), state: hello.ready }
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }
}
