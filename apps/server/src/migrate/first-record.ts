import type { ChatLog } from '@sgs-chat/core'

/** How long the log may take to show a first record that it says it has. */
const PATIENCE_MS = 30_000

/**
 * The time of the log's first chats: the earliest of those that lie first in their partitions. Undefined when it holds
 * none. What the bridge has brought has the time that the Java servers gave it.
 * @throws Error when the log does not show them in time
 */
export async function firstRecordMs(log: ChatLog): Promise<number | undefined> {
  const ranges = await log.ranges()
  const open = new Set(
    ranges.flatMap(({ first, next }, partition) => (first.seq < next.seq ? [partition] : [])),
  )
  const times: number[] = []
  if (open.size === 0) return undefined
  const done = Promise.withResolvers<void>()
  const settle = (partition: number): void => {
    open.delete(partition)
    if (open.size === 0) done.resolve()
  }
  const follower = await log.follow(
    ranges.map(({ first }) => first),
    {
      batch: (partition, { records, next }) => {
        if (!open.has(partition)) return
        const chat = records.find(record => record.kind === 'chat')?.chat
        if (chat !== undefined) times.push(chat.createdAt)
        // One that has passed the end without a chat holds none.
        if (chat !== undefined || next.seq >= (ranges[partition]?.next.seq ?? 0)) settle(partition)
      },
      lost: () => undefined,
    },
  )
  const timeout = setTimeout(
    () => done.reject(new Error(`the log did not show its first records within ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  )
  try {
    await done.promise
    return times.length === 0 ? undefined : Math.min(...times)
  } finally {
    clearTimeout(timeout)
    await follower.close()
  }
}
