import { DEFAULT_LIMITS, type Limits } from '@sgs-chat/core'
import { integer } from './setting.ts'

/** `maxContentBytes` as a setting is named: `MAX_CONTENT_BYTES`. */
export type SettingName<S extends string> = S extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? Uppercase<First> : `_${First}`}${SettingName<Rest>}`
  : ''

export function settingName<S extends string>(limit: S): SettingName<S> {
  return limit.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase() as SettingName<S>
}

/** The names of the options that are numbers. */
export type NumbersOf<Options> = {
  [Name in keyof Options]-?: NonNullable<Options[Name]> extends number ? Name : never
}[keyof Options]

/** What a limit is for; its unit is the last word of its name, or `chats` and the like in the text. */
type Described<Name extends string> = {
  readonly [N in Name]: string | { readonly about: string; readonly min: number }
}

type LimitSettings<Name extends string, Prefix extends string> = {
  readonly [N in Name as `${Prefix}${SettingName<N>}`]: ReturnType<typeof integer>
}

/** One setting for each limit of a package, named after it. */
export function limitSettings<Name extends string, const Prefix extends string>(
  prefix: Prefix,
  described: Described<Name>,
  defaults: { readonly [N in Name]: number },
): LimitSettings<Name, Prefix> {
  const settings = Object.entries<string | { about: string; min: number }>(described).map(
    ([limit, described]) => {
      const { about, min } = typeof described === 'string' ? { about: described, min: 1 } : described
      const unit = unitOf(limit)
      const byDefault = defaults[limit as Name]
      return [`${prefix}${settingName(limit)}`, integer({ about, byDefault, min, ...(unit ? { unit } : {}) })]
    },
  )
  return Object.fromEntries(settings) as LimitSettings<Name, Prefix>
}

const UNITS: readonly (readonly [suffix: RegExp, unit: string])[] = [
  [/Ms$/, 'ms'],
  [/BytesPerSecond$/, 'bytes/s'],
  [/Bytes$/, 'bytes'],
  [/Length$/, 'characters'],
  [/(Chats|Sends|Skip)$/, 'chats'],
  [/Records$/, 'records'],
  [/Pixels$/, 'pixels'],
]

function unitOf(limit: string): string | undefined {
  return UNITS.find(([suffix]) => suffix.test(limit))?.[1]
}

/** The limits of a package, read back out of a parsed configuration. */
export function limitsFrom<Name extends string>(
  config: Readonly<Record<string, unknown>>,
  prefix: string,
  defaults: { readonly [N in Name]: number },
): { [N in Name]: number } {
  const names = Object.keys(defaults) as Name[]
  return Object.fromEntries(names.map(name => [name, config[`${prefix}${settingName(name)}`]])) as {
    [N in Name]: number
  }
}

const CORE_LIMITS: Described<keyof Limits> = {
  maxContentBytes: "one chat's content, in UTF-8",
  maxMessageTypeLength: "a chat's messageType",
  maxClientMessageIdLength: 'a clientMessageId',
  maxBatchChats: 'chats of one STOMP transaction',
  dedupRecords: 'how far back a second record of a chat is recognised',
  recentWindowBytes: 'memory for the newest chats of all rooms',
  maxPageChats: 'chats in one answer about history',
  historyMaxSkip: 'page × size of the paged history',
  historyBarrierMs: 'how long a read waits for this node to catch up',
  followRestMs: {
    about: 'with KAFKA_FOLLOW=interest, how long a partition stays followed that nobody needs any more',
    min: 0,
  },
  followBeginMs:
    'with KAFKA_FOLLOW=interest, how long a SUBSCRIBE waits until its partition is followed again',
  recoveryMaxChats: 'missed chats that a subscriber may resume over',
  recoveryPageChats: 'chats that a resuming subscriber reads at once',
  archiveBatchChats: 'chats of one save into the history',
  archiveRestMs: 'rest of the archive after a save that took all there was, so that the next takes more',
  archiveRetryMs: 'first wait before a failed save is tried again',
  archiveRetryMaxMs: 'longest wait before a failed save is tried again',
  maxPendingSends: 'sends that wait for the log',
  maxRoomsPerSession: 'rooms that one session may be in',
  maxAttachmentBytes: 'one file',
  maxFileNameLength: "a file's name",
  uploadExpiresMs: 'how long a form that uploads a file lets its holder in',
  fileUrlExpiresMs: 'how long a link into S3 works that a browser was sent to',
  fileOrphanMs: 'an upload that no chat has named for this long is removed',
  fileSweepMs: 'how often such uploads are looked for',
  maxPresenceReports: 'reports to the presence registry under way at once',
  presenceRenewMs: 'how often this node renews its presence lease (30 s)',
  presenceSnapshotPage: { about: 'rooms in one page of what a registry is told anew', min: 1 },
  presenceGraceMs: { about: 'who is back in a room within this time never left', min: 0 },
  presenceBatchMs: 'how long news of who is in a room are gathered',
  presenceBatchMaxMs: 'the same, at most, in a big room',
  presenceListUsers: 'names in one message about who is in a room',
  maxPresenceRooms: 'rooms whose presence is watched on this node',
}

export const coreLimitSettings = limitSettings('', CORE_LIMITS, DEFAULT_LIMITS)
