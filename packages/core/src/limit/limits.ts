/** What bounds the core, each with its unit in its name; a server names its settings after these. */
export interface Limits {
  /** A chat's content, in bytes of UTF-8. */
  readonly maxContentBytes: number
  /** A chat's messageType, in characters. */
  readonly maxMessageTypeLength: number
  /** A clientMessageId, in characters. */
  readonly maxClientMessageIdLength: number
  /** Chats of one transaction. */
  readonly maxBatchChats: number
  /** Offsets of a partition within which a second record of an `_id` is a repeat (SPEC G3.2). */
  readonly dedupRecords: number
  /** The node's recent window over all rooms, in bytes: contents and a fixed cost for each chat. */
  readonly recentWindowBytes: number
  /** Chats of the longest answer to one history request. */
  readonly maxPageChats: number
  /** page × size of the contract's paging, in chats. */
  readonly historyMaxSkip: number
  /** How long a read waits for the follower or for the archive (SPEC G5.1, G5.2, G6.0). */
  readonly historyBarrierMs: number
  /** How long a partition stays followed that nobody needs any more, where only those needed are followed (SPEC G4.2). */
  readonly followRestMs: number
  /** How long a subscription waits for its partition to be followed again. */
  readonly followBeginMs: number
  /** Missed chats that a subscriber may resume over (SPEC G6.2). */
  readonly recoveryMaxChats: number
  /** Chats that a catching-up feed reads at once. */
  readonly recoveryPageChats: number
  /** Chats of one save into the history. */
  readonly archiveBatchChats: number
  /** How long the archive rests after a save that took all there was, so that what comes meanwhile is one save; 0: not. */
  readonly archiveRestMs: number
  /** The first wait before a failed save is tried again; it doubles up to `archiveRetryMaxMs`. */
  readonly archiveRetryMs: number
  readonly archiveRetryMaxMs: number
  /** Sends of this node that the log has not answered yet, in chats. */
  readonly maxPendingSends: number
  /** Rooms that one session may be in. */
  readonly maxRoomsPerSession: number
  /** A file, in bytes. */
  readonly maxAttachmentBytes: number
  /** A file's name, in characters. */
  readonly maxFileNameLength: number
  /** How long a form that uploads a file lets its holder in. */
  readonly uploadExpiresMs: number
  /** How long a link straight into the store of files works, once a client was sent there. */
  readonly fileUrlExpiresMs: number
  /** An upload that no chat has named for this long is removed. */
  readonly fileOrphanMs: number
  /** How often such uploads are looked for. */
  readonly fileSweepMs: number
  /** Reports to the presence registry that may be under way at once. */
  readonly maxPresenceReports: number
  /** How often a node renews its lease at the presence registry; its sessions are lost after `PRESENCE_LEASE_MS`. */
  readonly presenceRenewMs: number
  /** Rooms, over all of its sessions, of one page of what a node tells a registry anew. */
  readonly presenceSnapshotPage: number
  /** Who leaves a room and is back within this time never left. */
  readonly presenceGraceMs: number
  /** How long news of a room are gathered; longer in big rooms, up to `presenceBatchMaxMs`. */
  readonly presenceBatchMs: number
  readonly presenceBatchMaxMs: number
  /** Names in one message about who is in a room. */
  readonly presenceListUsers: number
  /** Rooms whose presence is watched on this node. */
  readonly maxPresenceRooms: number
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxContentBytes: 32_768,
  maxMessageTypeLength: 32,
  maxClientMessageIdLength: 128,
  maxBatchChats: 100,
  dedupRecords: 100_000,
  recentWindowBytes: 67_108_864,
  maxPageChats: 500,
  historyMaxSkip: 100_000,
  historyBarrierMs: 2_000,
  followRestMs: 60_000,
  followBeginMs: 10_000,
  recoveryMaxChats: 10_000,
  recoveryPageChats: 100,
  archiveBatchChats: 500,
  archiveRestMs: 100,
  archiveRetryMs: 200,
  archiveRetryMaxMs: 10_000,
  maxPendingSends: 20_000,
  maxRoomsPerSession: 100,
  maxAttachmentBytes: 10_485_760,
  maxFileNameLength: 255,
  uploadExpiresMs: 600_000,
  fileUrlExpiresMs: 300_000,
  fileOrphanMs: 86_400_000,
  fileSweepMs: 3_600_000,
  maxPresenceReports: 1_000,
  presenceRenewMs: 10_000,
  presenceSnapshotPage: 500,
  presenceGraceMs: 5_000,
  presenceBatchMs: 250,
  presenceBatchMaxMs: 5_000,
  presenceListUsers: 1_000,
  maxPresenceRooms: 10_000,
})

/** The defaults with some of them changed. @throws RangeError for a limit that is not an integer ≥ 0. */
export function withDefaultLimits(changes: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in DEFAULT_LIMITS)) throw new RangeError(`there is no limit ${name}`)
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be an integer ≥ 0`)
  }
  return Object.freeze({ ...DEFAULT_LIMITS, ...changes })
}
