import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { toFailure } from './store-file.ts'
import { StoreReader } from './store-reader.ts'
import type { CloseRequest, Numbered, ReadReply, ReadRequest, WorkerOptions } from './worker-protocol.ts'

function answer(reader: StoreReader, request: ReadRequest): ReadReply {
  try {
    return { rows: reader.read(request) }
  } catch (cause) {
    return { failure: toFailure(cause) }
  }
}

/** The thread that reads, so that a page of the past waits neither for an fsync nor on the event loop. */
function serve({ path }: WorkerOptions): void {
  const file = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  const reader = new StoreReader(file)
  parentPort?.on('message', ({ id, body }: Numbered<ReadRequest | CloseRequest>) => {
    if (!('close' in body)) {
      parentPort?.postMessage({ id, body: answer(reader, body) })
      return
    }
    file.close()
    parentPort?.postMessage({ id, body: {} })
    parentPort?.close()
  })
  parentPort?.postMessage({ ready: {} })
}

parentPort?.once('message', () => {
  try {
    serve(workerData as WorkerOptions)
  } catch (cause) {
    parentPort?.postMessage({ failure: toFailure(cause) })
  }
})
