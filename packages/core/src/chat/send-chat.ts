import type { CallOptions } from '../cancel-signal.ts'
import type { Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { Ids } from '../ids.ts'
import type { Limits } from '../limit/limits.ts'
import type { CheckAccess } from '../room/check-access.ts'
import type { RoomId } from '../room/room.ts'
import type { User } from '../room/user.ts'
import type { Chat, ChatDraft, ChatId, LoggedChat } from './chat.ts'
import type { ChatLog } from './chat-log.ts'
import type { FindRepeat } from './find-repeat.ts'
import { begunWithin, type FollowedPartitions } from './followed-partitions.ts'
import type { Position } from './position.ts'
import type { SendLane } from './send-lane.ts'
import { SendingIds } from './sending-ids.ts'

/** An acknowledged send. */
export interface SentChat {
  /** The chat as everybody sees it: for a repeated send the first one's identity, position and time. */
  readonly chat: LoggedChat
  /** Where this send's own record lies: serves as `min` of a read, not as `since` (SPEC G3.3). */
  readonly position: Position
  /** The same clientMessageId was acknowledged before: nothing was appended. */
  readonly repeated: boolean
}

export interface SendOptions extends CallOptions {
  /** Sends that share a lane reach the log in the order of their calls (SPEC G7.2). */
  readonly lane?: SendLane
}

/** Sends chats of one room as one batch: all of them are acknowledged, or none. */
export type SendChats = (
  sender: User,
  drafts: readonly ChatDraft[],
  options?: SendOptions,
) => Promise<readonly SentChat[]>

export interface SendChatsPorts {
  readonly log: ChatLog
  readonly checkAccess: CheckAccess
  /** Throws, or rejects, when a draft names a file of ours that it may not name; undefined when it names none. */
  readonly checkAttachment: (draft: ChatDraft) => Promise<void> | undefined
  readonly findRepeat: FindRepeat
  readonly followed: FollowedPartitions
  /** Throws while the node cannot take sends. */
  readonly checkReady: () => void
  /** Told of every acknowledged record. */
  readonly acknowledged: (partition: number, position: Position) => void
  /** Resolves when the follower has passed a record, or has taken too long to. */
  readonly passed: (partition: number, position: Position) => Promise<unknown>
  /** Chats that were handed in and not answered yet. */
  readonly underway: { chats: number }
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: Limits
}

/** A send before the log is asked: one that is known already, or a new one by its place in the batch. */
type Admitted = { readonly sent: SentChat } | { readonly chat: Chat; readonly index: number }

interface Batch {
  readonly admitted: readonly Admitted[]
  readonly chats: readonly Chat[]
  readonly appended: Promise<readonly Position[]>
  /** Lets sends of the same ids go on; undefined when none can be waiting. */
  readonly release: (() => void) | undefined
}

/**
 * The first step of a chat's way: checks who sends what, fixes `_id` and time, leaves out what is known to be a
 * repeat, and appends. Nothing is delivered from here (SPEC G3, G7).
 */
export function sendChats(ports: SendChatsPorts): SendChats {
  const { log, limits, underway } = ports
  const sendingIds = new SendingIds()
  return async (sender, drafts, { lane, signal } = {}) => {
    const roomId = checkDrafts(sender, drafts, limits)
    if (underway.chats + drafts.length > limits.maxPendingSends) {
      throw new ChatError('UNAVAILABLE', 'too many sends wait for the log', { details: { waitsFor: 'log' } })
    }
    const options = signal === undefined ? {} : { signal }
    const handOver = (): Batch | Promise<Batch> => handToLog(ports, sendingIds, sender, drafts, options)
    underway.chats += drafts.length
    let release: Batch['release']
    try {
      const handed = lane === undefined ? handOver() : lane.run(handOver)
      const batch = handed instanceof Promise ? await handed : handed
      release = batch.release
      const positions = await batch.appended
      const last = positions.at(-1)
      if (last !== undefined) {
        const partition = log.partitionOf(roomId)
        ports.acknowledged(partition, last)
        if (release !== undefined) ports.passed(partition, last).then(release, release)
        release = undefined
      }
      return answers(batch, positions)
    } finally {
      release?.()
      underway.chats -= drafts.length
    }
  }
}

function answers({ admitted, chats }: Batch, positions: readonly Position[]): readonly SentChat[] {
  return admitted.map(one => ('sent' in one ? one.sent : sentAt(chats[one.index], positions[one.index])))
}

/** Everything up to the moment the log has been asked; what runs in a lane. Waits only where there is something to ask. */
function handToLog(
  ports: SendChatsPorts,
  sendingIds: SendingIds,
  sender: User,
  drafts: readonly ChatDraft[],
  options: CallOptions,
): Batch | Promise<Batch> {
  const roomId = drafts[0]?.roomId as RoomId
  const checks: readonly (Promise<unknown> | undefined)[] = [
    ports.checkAccess(sender, 'write', roomId, options),
    // Who subscribed before on this node is to get it.
    ports.followed.measured(ports.log.partitionOf(roomId)),
    ...drafts.map(ports.checkAttachment),
  ]
  const isNamed = drafts.some(draft => draft.clientMessageId !== undefined)
  if (isNamed || checks.some(check => check !== undefined)) {
    return handCheckedToLog(ports, sendingIds, sender, drafts, checks, options)
  }
  ports.checkReady()
  const chats = drafts.map(draft => chatFrom(ports, sender, draft))
  const admitted = chats.map((chat, index) => ({ chat, index }))
  return { admitted, chats, appended: ports.log.append(chats, options), release: undefined }
}

async function handCheckedToLog(
  ports: SendChatsPorts,
  sendingIds: SendingIds,
  sender: User,
  drafts: readonly ChatDraft[],
  checks: readonly (Promise<unknown> | undefined)[],
  options: CallOptions,
): Promise<Batch> {
  await Promise.all(checks.filter(check => check !== undefined))
  const named = drafts.map(draft => ({ draft, chat: chatFrom(ports, sender, draft) }))
  const ids = named.flatMap(({ draft, chat }) => (draft.clientMessageId === undefined ? [] : [chat._id]))
  const release = await takeIds(ports, sendingIds, ids, drafts[0]?.roomId as RoomId)
  try {
    const { admitted, chats } = await leaveOutRepeats(ports.findRepeat, named)
    ports.checkReady()
    const appended = chats.length === 0 ? Promise.resolve([]) : ports.log.append(chats, options)
    return { admitted, chats, appended, release }
  } catch (error) {
    release()
    throw error
  }
}

/**
 * The ids are this send's until the answer is called; meanwhile their partition is followed, since what it holds says which
 * of them are repeats (SPEC G3.3, G4.2).
 */
async function takeIds(
  { clock, followed, limits, log }: SendChatsPorts,
  sendingIds: SendingIds,
  ids: readonly ChatId[],
  roomId: RoomId,
): Promise<() => void> {
  const giveBack = await sendingIds.take(ids)
  if (ids.length === 0) return giveBack
  const hold = followed.hold(log.partitionOf(roomId))
  const release = (): void => {
    giveBack()
    hold.release()
  }
  const begun = begunWithin(hold, clock, limits.historyBarrierMs)
  if (begun === undefined) return release
  return begun.then(
    () => release,
    (cause: unknown) => {
      release()
      throw cause
    },
  )
}

/** A room of its own for each batch, the sender's own name, and no more chats than allowed. */
function checkDrafts(sender: User, drafts: readonly ChatDraft[], limits: Limits): RoomId {
  const roomId = drafts[0]?.roomId
  if (roomId === undefined) throw new ChatError('INVALID_MESSAGE_FORMAT', 'a batch needs at least one chat')
  if (drafts.length > limits.maxBatchChats) {
    throw new ChatError('TOO_LARGE', `a batch holds at most ${limits.maxBatchChats} chats`, {
      details: { limit: limits.maxBatchChats, unit: 'chats' },
    })
  }
  for (const draft of drafts) {
    if (draft.roomId !== roomId) throw new ChatError('INVALID_MESSAGE_FORMAT', 'a batch is of one room')
    if (draft.senderId !== undefined && draft.senderId !== sender.userId) {
      throw new ChatError('FORBIDDEN', "senderId must be the token's own user, or left out")
    }
  }
  return roomId
}

function chatFrom({ ids, clock }: SendChatsPorts, sender: User, draft: ChatDraft): Chat {
  const { roomId, messageType, content, clientMessageId } = draft
  const createdAt = clock.nowMs()
  const _id = (
    clientMessageId === undefined
      ? ids.next(createdAt)
      : ids.hash(['clientMessageId', String(roomId), sender.userId, clientMessageId])
  ) as ChatId
  return { _id, roomId, senderId: sender.userId, messageType, content, createdAt }
}

async function leaveOutRepeats(
  find: FindRepeat,
  named: readonly { draft: ChatDraft; chat: Chat }[],
): Promise<{ admitted: readonly Admitted[]; chats: readonly Chat[] }> {
  const admitted: Admitted[] = []
  const chats: Chat[] = []
  for (const { draft, chat } of named) {
    const known = draft.clientMessageId === undefined ? undefined : await find(chat, draft.retry === true)
    const twin = draft.clientMessageId === undefined ? -1 : chats.findIndex(other => other._id === chat._id)
    if (known !== undefined)
      admitted.push({ sent: { chat: known, position: known.position, repeated: true } })
    else if (twin >= 0) admitted.push({ chat: sameContent(chat, chats[twin]), index: twin })
    else admitted.push({ chat, index: chats.push(chat) - 1 })
  }
  return { admitted, chats }
}

/** The same name twice in one batch is one chat, if it says the same. */
function sameContent(chat: Chat, twin: Chat | undefined): Chat {
  if (twin?.content === chat.content && twin.messageType === chat.messageType) return twin
  throw new ChatError('CONFLICT', 'one batch uses a clientMessageId for two contents')
}

function sentAt(chat: Chat | undefined, position: Position | undefined): SentChat {
  if (chat === undefined || position === undefined) {
    throw new ChatError('MESSAGE_NOT_DELIVERED', 'the log answered without a position', {
      outcome: 'unknown',
    })
  }
  return { chat: { ...chat, position }, position, repeated: false }
}
