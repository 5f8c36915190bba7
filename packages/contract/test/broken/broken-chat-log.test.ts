import { type ChatLogHarness, chatLogRules } from '@sgs-chat/contract'
import type { ChatLog, Closeable, LogBatch, LogConsumer, LogFollower, LogFollowing } from '@sgs-chat/core'
import { type MemoryChatLog, memoryChatLog } from '@sgs-chat/memory'
import { describe } from 'vitest'
import { type Breakage, expectBroken } from './expect-broken.ts'

/** A harness of the memory log, broken by what `breaks` puts over it. */
function broken(
  what: string,
  caughtBy: readonly string[],
  breaks: (log: MemoryChatLog) => Partial<ChatLog>,
  partitions = 1,
): Breakage<ChatLogHarness> {
  const create = async (): Promise<ChatLogHarness> => {
    const memory = memoryChatLog({ partitions, maxBatchRecords: 20, retryMs: 1 })
    const others: MemoryChatLog[] = []
    const over = (log: MemoryChatLog): ChatLog => {
      const changes: object = breaks(log)
      return new Proxy<ChatLog>(log, {
        get(target, name) {
          const value: unknown = Reflect.get(name in changes ? changes : target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    }
    const open = async (): Promise<ChatLog> => {
      const other = memoryChatLog({ storage: memory.storage, retryMs: 1 })
      others.push(other)
      return over(other)
    }
    return {
      log: over(memory),
      openAnother: open,
      reopen: open,
      plantUnknown: async (roomId, name) => memory.plantUnknown(memory.partitionOf(roomId), name),
      skipOffsets: async (partition, count) => memory.skipOffsets(partition, count),
      trim: async (partition, to) => memory.trim(partition, to),
      breakConnection: async () => memory.disconnect(),
      restoreConnection: async () => memory.reconnect(),
      openBounded: async () => ({ log: over(memory), refused: 2_000 }),
      dispose: async () => {
        for (const log of [memory, ...others]) await log.close()
      },
    }
  }
  return { what, caughtBy, create }
}

const onBatch =
  (log: ChatLog, change: (batch: LogBatch, give: (batch: LogBatch) => void) => void) =>
  (from: Parameters<ChatLog['follow']>[0], follower: LogFollower): Promise<LogFollowing> =>
    log.follow(from, {
      batch: (partition, batch) => change(batch, changed => follower.batch(partition, changed)),
      lost: (partition, range) => follower.lost(partition, range),
    })

const appending: readonly Breakage<ChatLogHarness>[] = [
  broken('acknowledges before it has the chat, and loses some', ['L4', 'L5', 'L41'], log => {
    let count = 0
    return {
      append: async (chats, options) => {
        count += 1
        return count % 5 === 4
          ? chats.map((_, index) => ({ epoch: 1, seq: 10_000 + index }))
          : log.append(chats, options)
      },
    }
  }),
  broken('turns the order of a batch round', ['L3', 'L4', 'L8'], log => ({
    append: async (chats, options) => (await log.append(chats.toReversed(), options)).toReversed(),
  })),
  broken('takes chats of several rooms, one by one', ['L6'], log => ({
    append: async chats => (await Promise.all(chats.map(chat => log.append([chat])))).flat(),
  })),
  broken('puts every room in the first partition', ['L2'], () => ({ partitionOf: () => 0 }), 3),
  broken('lets what waits grow without a bound', ['L11'], () => ({})),
  broken('does not look at the signal', ['L10'], log => ({ append: chats => log.append(chats) })),
  broken('throws what is no ChatError when it is cut off', ['L12'], log => ({
    append: async (chats, options) => {
      try {
        return await log.append(chats, options)
      } catch {
        throw new Error('ECONNREFUSED')
      }
    },
  })),
  broken('stores what it says it has rejected', ['L13'], log => ({
    append: async (chats, options) => {
      try {
        return await log.append(chats, options)
      } catch (error) {
        for (const chat of chats) log.storage.partition(log.partitionOf(chat.roomId)).addChat(chat)
        throw error
      }
    },
  })),
]

const following: readonly Breakage<ChatLogHarness>[] = [
  broken('gives a batch twice', ['L15', 'L18', 'L19'], log => ({
    follow: onBatch(log, (batch, give) => {
      give(batch)
      give(batch)
    }),
  })),
  broken('leaves offsets out between batches', ['L15', 'L19'], log => ({
    follow: onBatch(log, (batch, give) => {
      const from = { ...batch.from, seq: batch.from.seq + 1 }
      give({ ...batch, from, records: batch.records.slice(1) })
    }),
  })),
  broken('begins one record late', ['L16'], log => ({
    follow: (from, follower) =>
      log.follow(
        from.map(({ epoch, seq }) => ({ epoch, seq: seq + 1 })),
        follower,
      ),
  })),
  broken('leaves unknown kinds out', ['L22'], log => ({
    follow: onBatch(log, (batch, give) =>
      give({ ...batch, records: batch.records.filter(({ kind }) => kind === 'chat') }),
    ),
  })),
  broken('says nothing of what was lost', ['L24'], log => ({
    follow: (from, follower) =>
      log.follow(from, {
        batch: (partition, batch) => follower.batch(partition, batch),
        lost: () => undefined,
      }),
  })),
  broken('goes on after a follow was closed', ['L21'], log => ({
    follow: async (from, follower) => {
      const following = await log.follow(from, follower)
      const close = async (): Promise<void> => undefined
      return { ...following, close, [Symbol.asyncDispose]: close }
    },
  })),
  broken('takes the batch to end at its last record', ['L15'], log => ({
    follow: onBatch(log, (batch, give) =>
      give({ ...batch, next: batch.records.at(-1)?.position ?? batch.next }),
    ),
  })),
]

const onFollowing =
  (log: ChatLog, change: (following: LogFollowing) => Partial<LogFollowing>): ChatLog['follow'] =>
  async (from, follower) => {
    const following = await log.follow(from, follower)
    return { ...following, ...change(following) }
  }

const leaving: readonly Breakage<ChatLogHarness>[] = [
  broken('goes on with a partition that was left', ['L43'], log => ({
    follow: onFollowing(log, following => ({
      leave: () => undefined,
      begin: (partition, from) => {
        following.leave(partition)
        following.begin(partition, from)
      },
    })),
  })),
  broken(
    'leaves all partitions with one',
    ['L43'],
    log => ({
      follow: onFollowing(log, following => ({
        leave: () => {
          for (let partition = 0; partition < log.identity.partitions; partition++) following.leave(partition)
        },
      })),
    }),
    3,
  ),
  broken('begins again with what comes next', ['L44', 'L45'], log => ({
    follow: onFollowing(log, following => ({
      begin: (partition, from) => following.begin(partition, log.storage.ranges()[partition]?.next ?? from),
    })),
  })),
  broken('takes a second begin of a partition for none', ['L45'], log => ({
    follow: onFollowing(log, following => ({
      begin: (partition, from) => {
        try {
          following.begin(partition, from)
        } catch {
          // Followed already.
        }
      },
    })),
  })),
  broken('begins one record late when it is begun again', ['L44', 'L45', 'L46'], log => ({
    follow: onFollowing(log, following => ({
      begin: (partition, { epoch, seq }) => following.begin(partition, { epoch, seq: seq + 1 }),
    })),
  })),
]

const onConsumer =
  (log: ChatLog, change: (consumer: LogConsumer) => Partial<LogConsumer>) =>
  (consumer: LogConsumer): Promise<Closeable> =>
    log.consume({
      start: (partition, options) => consumer.start(partition, options),
      batch: (partition, batch, options) => consumer.batch(partition, batch, options),
      lost: (partition, range, options) => consumer.lost(partition, range, options),
      ...change(consumer),
    })

const consuming: readonly Breakage<ChatLogHarness>[] = [
  broken('takes a rejected batch as done', ['L28'], log => ({
    consume: onConsumer(log, consumer => ({
      batch: (partition, batch, options) => consumer.batch(partition, batch, options).catch(() => undefined),
    })),
  })),
  broken('does not wait for the batch before', ['L27'], log => ({
    consume: onConsumer(log, consumer => ({
      batch: async (partition, batch, options) => {
        consumer.batch(partition, batch, options).catch(() => undefined)
      },
    })),
  })),
  broken('gives every consumer everything', ['L30', 'L31'], log => ({
    consume: consumer =>
      memoryChatLog({ storage: log.storage }).follow([{ epoch: 1, seq: 0 }], {
        batch: (partition, batch) => void consumer.batch(partition, batch, {}),
        lost: () => undefined,
      }),
  })),
  broken('begins at the first record whatever it is told', ['L26'], log => ({
    consume: onConsumer(log, consumer => ({
      start: async (partition, options) => {
        await consumer.start(partition, options)
        return undefined
      },
    })),
  })),
  broken('does not abort what is under way', ['L34'], log => ({
    consume: onConsumer(log, consumer => ({
      batch: (partition, batch) => consumer.batch(partition, batch, { signal: new AbortController().signal }),
    })),
  })),
  broken('keeps a lost range from the consumer', ['L33'], log => ({
    consume: onConsumer(log, () => ({ lost: async () => undefined })),
  })),
]

const living: readonly Breakage<ChatLogHarness>[] = [
  broken('answers after it was closed', ['L37', 'L38'], log => ({
    ranges: async () => log.storage.ranges(),
  })),
  broken('rejects a second close', ['L36'], log => {
    return {
      close: async () => {
        await log.close()
        await log.ranges()
      },
    }
  }),
  broken('leaves its follows open when it closes', ['L39'], log => ({
    follow: (from, follower) => memoryChatLog({ storage: log.storage }).follow(from, follower),
  })),
  broken('is another log after it was opened again', ['L40'], log => ({
    get identity() {
      return { ...log.storage.identity, clusterId: `cluster ${Math.random()}` }
    },
  })),
]

describe('the ChatLog suite', () => {
  expectBroken(chatLogRules, [...appending, ...following, ...leaving, ...consuming, ...living])
})
