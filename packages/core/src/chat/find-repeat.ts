import { ChatError } from '../error.ts'
import type { PastSources } from './archived.ts'
import type { Chat, LoggedChat } from './chat.ts'
import type { ChatLog } from './chat-log.ts'
import { headOfLog } from './follow-log.ts'
import { contentDigest } from './held-ids.ts'
import { comparePositions, placeAfter } from './position.ts'

/** Finds the chat that a named send is a repeat of (SPEC G3.3). `certainly`: a miss must be a proven one. */
export type FindRepeat = (chat: Chat, certainly: boolean) => Promise<LoggedChat | undefined>

/**
 * Looks among the ids the follower holds, and, when asked to be certain, in the history too, after the follower has
 * passed the log's head of this moment.
 * @throws ChatError CONFLICT when the name stands for another content; UNAVAILABLE when certainty cannot be had
 */
export function findRepeat({ log, sources }: { log: ChatLog; sources: PastSources }): FindRepeat {
  const { deliver, history } = sources
  return async (chat, certainly) => {
    const partition = log.partitionOf(chat.roomId)
    if (certainly) await reachHead(log, sources, partition)
    const held = deliver.held(partition, chat._id)
    if (held !== undefined) {
      if (held.digest !== contentDigest(chat)) throw conflict()
      return { ...chat, createdAt: held.createdAt, position: held.position }
    }
    if (!certainly) return undefined
    await checkCoverage(sources, partition)
    const found = await history.find(chat.roomId, chat._id)
    if (found === undefined) return undefined
    if (found.content !== chat.content || found.messageType !== chat.messageType) throw conflict()
    return found
  }
}

async function reachHead(log: ChatLog, { deliver, limits }: PastSources, partition: number): Promise<void> {
  const head = await headOfLog(log, partition)
  if (!(await deliver.passed(partition, head, limits.historyBarrierMs))) throw uncertain()
}

/** The held ids must begin where the history ends, or lower. */
async function checkCoverage({ deliver, history, limits }: PastSources, partition: number): Promise<void> {
  const watermark = await history.watermark(partition)
  const archived = watermark?.position ?? deliver.beginning(partition)
  if (comparePositions(placeAfter(archived), deliver.heldFrom(partition, limits.dedupRecords)) < 0)
    throw uncertain()
}

function conflict(): ChatError {
  return new ChatError('CONFLICT', 'this clientMessageId was already used for another content')
}

function uncertain(): ChatError {
  return new ChatError('UNAVAILABLE', 'whether this chat was already sent cannot be told right now', {
    details: { waitsFor: 'history' },
  })
}
