import type { ChatLog } from '@sgs-chat/core'

/** The same log, but for its `append`. */
export function withAppend(log: ChatLog, append: ChatLog['append']): ChatLog {
  return {
    identity: log.identity,
    append,
    partitionOf: roomId => log.partitionOf(roomId),
    ranges: options => log.ranges(options),
    follow: (from, follower) => log.follow(from, follower),
    consume: consumer => log.consume(consumer),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log.close(),
  }
}
