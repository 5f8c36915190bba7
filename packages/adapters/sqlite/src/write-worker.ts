import { parentPort, workerData } from 'node:worker_threads'
import { openStoreFile, toFailure } from './store-file.ts'
import { StoreWriter } from './store-writer.ts'
import type { CloseRequest, CommitRequest, Numbered, WorkerOptions } from './worker-protocol.ts'

/** The thread that fsyncs, so that the event loop never does (SPEC G1.5). */
function serve(options: WorkerOptions): void {
  const writer = new StoreWriter(openStoreFile(options.path), options)
  parentPort?.on('message', ({ id, body }: Numbered<CommitRequest | CloseRequest>) => {
    if (!('close' in body)) {
      parentPort?.postMessage({ id, body: writer.commit(body) })
      return
    }
    let reply: unknown = {}
    try {
      writer.close()
    } catch (cause) {
      reply = { failure: toFailure(cause) }
    }
    parentPort?.postMessage({ id, body: reply })
    parentPort?.close()
  })
  parentPort?.postMessage({ ready: writer.state() })
}

parentPort?.once('message', () => {
  try {
    serve(workerData as WorkerOptions)
  } catch (cause) {
    parentPort?.postMessage({ failure: toFailure(cause) })
  }
})
