import type { Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import { type Counter, type Histogram, type Meter, SECONDS_BUCKETS } from '../meter.ts'
import type { SubscribeRoom } from '../room/subscribe-room.ts'
import type { ArchiveChats } from './archive-chats.ts'
import type { DeliverChats } from './deliver-chats.ts'
import type { FollowedPartitions } from './followed-partitions.ts'
import type { SendChats } from './send-chat.ts'

/** What a chat node counts on a chat's way, in the order of that way. */
export class ChatMetrics {
  readonly delivered: Counter
  readonly deliverSeconds: Histogram
  readonly archived: Counter
  readonly archiveSeconds: Histogram
  readonly resumes: Counter
  readonly feedEnds: Counter
  private readonly sends: Counter
  private readonly sentNew: Counter
  private readonly sentAgain: Counter
  private readonly sendSeconds: Histogram

  constructor(meter: Meter) {
    this.sends = meter.counter(
      'chat_sends_total',
      'Chats handed in, by how it ended: new, repeat or an error code.',
      ['result'],
    )
    this.sentNew = this.sends.with({ result: 'new' })
    this.sentAgain = this.sends.with({ result: 'repeat' })
    this.sendSeconds = meter.histogram(
      'chat_send_to_append_seconds',
      'From a send being handed in to the answer of the log.',
      SECONDS_BUCKETS,
    )
    this.delivered = meter.counter(
      'chat_delivered_total',
      "Chats given to live subscriptions of this node's clients.",
    )
    this.deliverSeconds = meter.histogram(
      'chat_append_to_deliver_seconds',
      "From a chat's own time, set just before it is appended, to its delivery on this node; the nodes' clocks count.",
      SECONDS_BUCKETS,
    )
    this.archived = meter.counter('chat_archived_total', 'Chats this node saved into the history.')
    this.archiveSeconds = meter.histogram(
      'chat_append_to_archive_seconds',
      "From a chat's own time to its being in the history.",
      SECONDS_BUCKETS,
    )
    this.resumes = meter.counter(
      'chat_resumes_total',
      'Subscriptions that came back with `since`: recovered, or why they could not be.',
      ['result'],
    )
    this.feedEnds = meter.counter(
      'chat_feeds_ended_total',
      'Subscriptions that ended by themselves, by why.',
      ['reason'],
    )
  }

  sent(chats: number, repeats: number, seconds: number): void {
    if (chats > repeats) this.sentNew.add(chats - repeats)
    if (repeats > 0) this.sentAgain.add(repeats)
    this.sendSeconds.record(seconds)
  }

  failed(chats: number, cause: unknown): void {
    this.sends.with({ result: ChatError.from(cause).code }).add(chats)
  }
}

/** The same sends, counted and timed. Waits for nothing that the caller does not wait for. */
export function countedSends(send: SendChats, metrics: ChatMetrics, clock: Clock): SendChats {
  return (sender, drafts, options) => {
    const beganMs = clock.nowMs()
    const sending = send(sender, drafts, options)
    sending.then(
      sent => {
        const repeats = sent.reduce((count, { repeated }) => count + (repeated ? 1 : 0), 0)
        metrics.sent(sent.length, repeats, (clock.nowMs() - beganMs) / 1_000)
      },
      (cause: unknown) => metrics.failed(drafts.length, cause),
    )
    return sending
  }
}

/** The same subscriptions; those that came back are counted by how it went. */
export function countedResumes(subscribe: SubscribeRoom, metrics: ChatMetrics): SubscribeRoom {
  return async (...asked) => {
    const feed = await subscribe(...asked)
    const { start } = feed
    if (start.asked) metrics.resumes.with({ result: start.recovered ? 'recovered' : start.reason }).add(1)
    return feed
  }
}

interface ObservedNode {
  readonly deliver: DeliverChats
  readonly followed: FollowedPartitions
  readonly archive: ArchiveChats
  readonly underway: { readonly chats: number }
  readonly presence: { readonly presentSessions: number }
}

/** What is read off a node whenever somebody looks. */
export function observeNode(
  meter: Meter,
  { deliver, followed, archive, underway, presence }: ObservedNode,
): void {
  meter.observe({
    name: 'chat_sends_pending',
    help: 'Chats handed in and not answered yet.',
    kind: 'gauge',
    read: () => [{ labels: {}, value: underway.chats }],
  })
  meter.observe({
    name: 'chat_records_passed_by_total',
    help: 'Records of the log that are no new chat: repeats, and kinds this version does not know.',
    kind: 'counter',
    labels: ['why'],
    read: () => [
      { labels: { why: 'repeat' }, value: deliver.passedBy.repeats },
      { labels: { why: 'unknown' }, value: deliver.passedBy.unknown },
    ],
  })
  meter.observe({
    name: 'chat_followed_partitions',
    help: 'Partitions of the log that this node follows.',
    kind: 'gauge',
    read: () => [{ labels: {}, value: followed.count }],
  })
  meter.observe({
    name: 'chat_presence_sessions',
    help: 'Sessions of this node that are in a room, as the registry was told.',
    kind: 'gauge',
    read: () => [{ labels: {}, value: presence.presentSessions }],
  })
  meter.observe({
    name: 'chat_archive_lag_records',
    help: 'Records followed and not yet in the history, of the partitions that this node follows and archives.',
    kind: 'gauge',
    read: () => [{ labels: {}, value: archiveLag(deliver, archive) }],
  })
}

function archiveLag(deliver: DeliverChats, archive: ArchiveChats): number {
  let lag = 0
  for (const [partition, archived] of archive.archivedUpTo) {
    const { seq } = deliver.head(partition)
    lag += Math.max(0, seq - (archived?.seq ?? deliver.beginning(partition).seq))
  }
  return lag
}
