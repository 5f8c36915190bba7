import { type AttachmentLinks, attachmentLinks } from './attachment/attachment-links.ts'
import type { FileRules } from './attachment/attachment-ports.ts'
import type { AttachmentStore, DirectAccess } from './attachment/attachment-store.ts'
import { type CollectingUploads, collectUploads } from './attachment/collect-uploads.ts'
import { checkAttachment } from './attachment/confirm-attachment.ts'
import { blindInspector } from './attachment/file-inspector.ts'
import { type OpenAttachment, openAttachment } from './attachment/open-attachment.ts'
import {
  type PrepareUpload,
  prepareUpload,
  type ReceiveUpload,
  receiveUpload,
} from './attachment/prepare-upload.ts'
import { type SendAttachment, sendAttachment } from './attachment/send-attachment.ts'
import { ArchiveChats } from './chat/archive-chats.ts'
import type { ChatDraft } from './chat/chat.ts'
import type { ChatHistory } from './chat/chat-history.ts'
import type { ChatLog } from './chat/chat-log.ts'
import { ChatMetrics, countedResumes, countedSends, observeNode } from './chat/chat-metrics.ts'
import type { DeliverChats } from './chat/deliver-chats.ts'
import { findRepeat } from './chat/find-repeat.ts'
import { followLog, headOfLog } from './chat/follow-log.ts'
import { allPartitions, type FollowedPartitions, WantedPartitions } from './chat/followed-partitions.ts'
import { comparePositions, type Position } from './chat/position.ts'
import { type ReadHistory, readHistory, type StreamHistory, streamHistory } from './chat/read-history.ts'
import { type SendChats, type SendOptions, type SentChat, sendChats } from './chat/send-chat.ts'
import type { Clock } from './clock.ts'
import type { Closeable } from './closeable.ts'
import { ChatError } from './error.ts'
import type { Ids } from './ids.ts'
import { type Limits, withDefaultLimits } from './limit/limits.ts'
import { type Logger, silentLogger } from './logger.ts'
import { type Meter, silentMeter } from './meter.ts'
import { type EnterRoom, enterRoom } from './presence/enter-room.ts'
import { type EndSession, endSession, type LeaveRoom, leaveRoom } from './presence/leave-room.ts'
import { PresenceSession } from './presence/presence-session.ts'
import { allOf, type Presences, ToldRegistries } from './presence/told-registries.ts'
import { type WatchPresence, watchPresence } from './presence/watch-presence.ts'
import { type WhoIsIn, whoIsIn } from './presence/who-is-in.ts'
import { AccessWatch } from './room/access-watch.ts'
import { type CheckAccess, checkAccess } from './room/check-access.ts'
import type { RoomId } from './room/room.ts'
import { openRoomAccess, type RoomAccess } from './room/room-access.ts'
import type { FeedEnd } from './room/room-feed.ts'
import { type SubscribeRoom, subscribeRoom } from './room/subscribe-room.ts'
import type { User, UserId } from './room/user.ts'

export interface AttachmentOptions extends FileRules {
  readonly store: AttachmentStore
  /** Where clients reach the files' routes, without a slash at the end. */
  readonly publicUrl: string
  /** Signs links and forms. */
  readonly secret: string
}

/** What a node does with files. */
export interface Attachments {
  readonly send: SendAttachment
  readonly open: OpenAttachment
  readonly links: AttachmentLinks
  readonly prepare: PrepareUpload
  /** The other end of the forms that lead to this server. */
  readonly receive: ReceiveUpload
  /** Undefined when clients cannot be sent to the store. */
  readonly direct: DirectAccess | undefined
}

export interface CreateChatOptions {
  readonly log: ChatLog
  readonly history: ChatHistory
  /** Where sessions are told of; of several, all are told and the first is asked. */
  readonly presence: Presences
  readonly clock: Clock
  readonly ids: Ids
  /** Files; without it they are refused. */
  readonly attachments?: AttachmentOptions
  /**
   * `interest`: partitions that no subscription, read or named send has needed for `followRestMs` are not followed; what
   * comes to them then waits until they are again (SPEC G4.2). @default 'all'
   */
  readonly follow?: 'all' | 'interest'
  /** @default every user may read and write every room */
  readonly access?: RoomAccess
  /** How long a subscription outlives an access check that cannot be made, in milliseconds. @default 300000 */
  readonly accessStaleMaxMs?: number
  readonly limits?: Partial<Limits>
  /** @default silent */
  readonly logger?: Logger
  /** @default silent */
  readonly meter?: Meter
}

/** Whether this node does all of its work, and if not, why. */
export type ChatStatus =
  | { readonly state: 'ready' }
  | { readonly state: 'refusing'; readonly problems: readonly string[] }
  | { readonly state: 'closed' }

/** What a node's counters say since its start. */
export interface ChatCounters {
  readonly unknownRecords: number
  readonly repeatedRecords: number
}

/** A chat node: what transports and embedders call. */
export interface ChatSystem extends Closeable {
  readonly limits: Limits
  status(): ChatStatus
  counters(): ChatCounters
  send(sender: User, draft: ChatDraft, options?: SendOptions): Promise<SentChat>
  /** A batch of one room: all or none. */
  readonly sendAll: SendChats
  readonly subscribe: SubscribeRoom
  /** Asks whether a user may read or write a room: for rights that a transport has to look at again. */
  readonly checkAccess: (...asked: Parameters<CheckAccess>) => Promise<void>
  readonly history: ReadHistory
  /** A whole room, newest first. */
  readonly streamHistory: StreamHistory
  readonly presence: {
    /** A session that begins; it is nowhere until it enters a room. */
    open(userId: UserId): PresenceSession
    readonly enter: EnterRoom
    readonly leave: LeaveRoom
    readonly end: EndSession
    readonly whoIsIn: WhoIsIn
    /** Who comes into a room and who goes, as it happens. */
    readonly watch: WatchPresence
  }
  /** Undefined when there is no store for files. */
  readonly attachments: Attachments | undefined
  /** Stops sends, waits for those under way and for the archive (at most `CLOSE_DRAIN_MS`), stops following. Closes none of its ports. */
  close(): Promise<void>
}

/** How long `close` waits for sends and for the archive, each, in milliseconds. */
export const CLOSE_DRAIN_MS = 5_000

const STALE_MAX_MS = 300_000

/**
 * Composes a chat node out of its ports: follows the log, archives it, and answers once everything that the log held at
 * the start was followed. Rejects when a port does. A log that is not the one the history was filled from does not
 * reject: the node then refuses sends and its status says why (SPEC G2.3).
 */
export async function createChat(options: CreateChatOptions): Promise<ChatSystem> {
  const { log, history, clock, logger = silentLogger, access = openRoomAccess } = options
  const limits = withDefaultLimits(options.limits)
  const metrics = new ChatMetrics(options.meter ?? silentMeter)
  const state = new NodeState()
  const mismatch = (partition: number, description: string): void => {
    if (state.refuse(description)) logger.error('this node refuses sends', { partition, reason: description })
  }
  const following = await followLog({ log, history, limits, clock, metrics, mismatch })
  const { deliver } = following
  await following.caughtUp
  const archive = new ArchiveChats({
    history,
    log: log.identity,
    limits,
    clock,
    logger,
    metrics,
    mismatch,
    archived: (partition, { position }) => deliver.window.setArchived(partition, position),
  })
  const archiving = await log.consume(archive).catch(async (cause: unknown) => {
    await following.close()
    throw cause
  })
  const { partitions } = log.identity
  const followed =
    options.follow === 'interest'
      ? new WantedPartitions({ partitions, follower: following, clock, limits })
      : allPartitions(partitions)
  const watch = new AccessWatch({ access, clock, staleMaxMs: options.accessStaleMaxMs ?? STALE_MAX_MS })
  const reporter = new ToldRegistries({ presences: options.presence, clock, limits, logger })
  const useCases = composeUseCases({
    options,
    limits,
    logger,
    metrics,
    access,
    deliver,
    followed,
    state,
    watch,
    reporter,
  })
  const collecting: CollectingUploads | undefined =
    options.attachments && collectUploads({ store: options.attachments.store, clock, limits, logger })
  observeNode(options.meter ?? silentMeter, {
    deliver,
    followed,
    archive,
    underway: state.underway,
    presence: reporter,
  })
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    state.close()
    watch.close()
    await collecting?.close()
    await until(clock, CLOSE_DRAIN_MS, () => state.underway.chats === 0)
    archive.hurry()
    const acknowledged = [...state.acknowledged]
    await until(clock, CLOSE_DRAIN_MS, () =>
      acknowledged.every(([partition, upTo]) => archive.hasDone(partition, upTo)),
    )
    await archiving.close()
    followed.close()
    await following.close()
    await reporter.close(CLOSE_DRAIN_MS)
  }
  const system: ChatSystem = {
    ...useCases,
    limits,
    status: () => state.status(),
    counters: () => ({ unknownRecords: deliver.passedBy.unknown, repeatedRecords: deliver.passedBy.repeats }),
    close: () => {
      closing ??= close()
      return closing
    },
    [Symbol.asyncDispose]: () => system.close(),
  }
  return system
}

interface Composition {
  readonly options: CreateChatOptions
  readonly limits: Limits
  readonly logger: Logger
  readonly metrics: ChatMetrics
  readonly access: RoomAccess
  readonly deliver: DeliverChats
  readonly followed: FollowedPartitions
  readonly state: NodeState
  readonly watch: AccessWatch
  readonly reporter: ToldRegistries
}

type UseCases = Omit<ChatSystem, 'limits' | 'status' | 'counters' | keyof Closeable>

function composeUseCases({
  options,
  limits,
  logger,
  metrics,
  access,
  deliver,
  followed,
  state,
  watch,
  reporter,
}: Composition): UseCases {
  const { log, history, clock, ids } = options
  const [presence] = allOf(options.presence)
  const sources = {
    deliver,
    followed,
    history,
    limits,
    clock,
    partitionOf: (roomId: RoomId) => log.partitionOf(roomId),
    feedEnded: (end: FeedEnd) => metrics.feedEnds.with({ reason: end }).add(1),
  }
  const check = checkAccess(access)
  const { attachments } = options
  const files = attachments && {
    ...attachments,
    links: attachmentLinks({ ...attachments, ids }),
    rules: attachments,
    inspector: attachments.inspector ?? blindInspector,
    checkAccess: check,
    clock,
    ids,
    limits,
    logger,
  }
  const send = sendChats({
    log,
    checkAccess: check,
    checkAttachment: files === undefined ? () => undefined : checkAttachment(files),
    findRepeat: findRepeat({ log, sources }),
    followed,
    checkReady: () => state.checkReady(),
    acknowledged: (partition, position) => state.acknowledge(partition, position),
    passed: (partition, position) => deliver.passed(partition, position, limits.historyBarrierMs),
    underway: state.underway,
    clock,
    ids,
    limits,
  })
  const sendAll = countedSends(send, metrics, clock)
  const acknowledgedUpTo = (partition: number): Position | undefined => state.acknowledged.get(partition)
  const logHead = (partition: number): Promise<Position> => headOfLog(log, partition)
  const read = readHistory({ ...sources, checkAccess: check, logHead, acknowledgedUpTo })
  return {
    send: (sender, draft, sendOptions) => sendAll(sender, [draft], sendOptions).then(theOne),
    sendAll,
    subscribe: countedResumes(subscribeRoom({ sources, checkAccess: check, watch }), metrics),
    checkAccess: async (...asked) => check(...asked),
    history: read,
    streamHistory: streamHistory({ read, limits }),
    presence: {
      open: userId => new PresenceSession(ids.random(), userId),
      enter: enterRoom({ reporter, limits }),
      leave: leaveRoom({ reporter }),
      end: endSession({ reporter }),
      whoIsIn: whoIsIn({ presence, checkAccess: check }),
      watch: watchPresence({ presence, clock, limits, checkAccess: check, watch }),
    },
    attachments: files && {
      send: sendAttachment({ ...files, sendChats: sendAll }),
      open: openAttachment(files),
      links: files.links,
      prepare: prepareUpload(files),
      receive: receiveUpload(files),
      direct: files.store.direct,
    },
  }
}

function theOne([sent]: readonly SentChat[]): SentChat {
  if (sent !== undefined) return sent
  throw new ChatError('MESSAGE_NOT_DELIVERED', 'the log gave no answer', { outcome: 'unknown' })
}

/** What a node remembers of itself. */
class NodeState {
  /** The highest place this node has acknowledged, by partition. */
  readonly acknowledged = new Map<number, Position>()
  readonly underway = { chats: 0 }
  private readonly problems: string[] = []
  private closed = false

  status(): ChatStatus {
    if (this.closed) return { state: 'closed' }
    return this.problems.length === 0
      ? { state: 'ready' }
      : { state: 'refusing', problems: [...this.problems] }
  }

  /** True for a problem that is new. */
  refuse(problem: string): boolean {
    if (this.problems.includes(problem)) return false
    this.problems.push(problem)
    return true
  }

  close(): void {
    this.closed = true
  }

  /** @throws ChatError UNAVAILABLE */
  checkReady(): void {
    if (this.closed) {
      throw new ChatError('UNAVAILABLE', 'this node is stopping', { details: { waitsFor: 'another node' } })
    }
    const [problem] = this.problems
    if (problem !== undefined) {
      throw new ChatError('UNAVAILABLE', problem, { details: { waitsFor: 'an operator' }, retryable: false })
    }
  }

  acknowledge(partition: number, position: Position): void {
    const known = this.acknowledged.get(partition)
    if (known === undefined || comparePositions(position, known) > 0)
      this.acknowledged.set(partition, position)
  }
}

const DRAIN_POLL_MS = 10

/** Resolves once the condition holds, or `timeoutMs` are over. */
async function until(clock: Clock, timeoutMs: number, holds: () => boolean): Promise<void> {
  const deadlineMs = clock.nowMs() + timeoutMs
  while (!holds() && clock.nowMs() < deadlineMs) {
    await new Promise<void>(resolve => clock.after(DRAIN_POLL_MS, resolve))
  }
}
