import type { AttachmentPorts } from './attachment-ports.ts'

export interface CollectingUploads {
  /** Starts no more; resolves when what is under way has ended. */
  close(): Promise<void>
}

/**
 * Removes uploads that no chat has named for `fileOrphanMs`, now and every `fileSweepMs`. Every node does it, and none
 * disturbs another: only what is pending is ever removed, and what a chat names is not (SPEC G11.6).
 */
export function collectUploads({
  store,
  clock,
  limits,
  logger,
}: Pick<AttachmentPorts, 'store' | 'clock' | 'limits' | 'logger'>): CollectingUploads {
  let isClosed = false
  let cancel = (): void => undefined
  const sweep = async (): Promise<void> => {
    let removed = 0
    try {
      for await (const { roomId, id } of store.pendingBefore(clock.nowMs() - limits.fileOrphanMs)) {
        if (isClosed) break
        await store.remove(roomId, id, { pending: true })
        removed += 1
      }
    } catch (cause) {
      if (!isClosed) logger.warn('uploads that no chat names could not be removed', { error: cause as Error })
    }
    if (removed > 0) logger.info('removed uploads that no chat names', { uploads: removed })
    if (!isClosed) cancel = clock.after(Math.max(1, limits.fileSweepMs), run)
  }
  let sweeping = Promise.resolve()
  const run = (): void => {
    sweeping = sweep()
  }
  run()
  return {
    close() {
      isClosed = true
      cancel()
      return sweeping
    },
  }
}
