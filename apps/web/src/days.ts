import type { Chat } from '@sgs-chat/client'
import { language } from './preferences.ts'
import { text } from './text.ts'

export interface DayOfChats {
  /** `2026-11-24`, or with a number when chats of that day lie apart. */
  readonly key: string
  readonly name: string
  readonly stretches: readonly Stretch[]
}

/** Chats that stand one after the other; what is out of sight is left out by whole stretches. */
export type Stretch = readonly RowOfChat[]

export interface RowOfChat {
  readonly chat: Chat
  /** The one above is of the same sender, a moment before: the name stands there. */
  readonly isFollowing: boolean
  /** The next one is not of the same sender and minute: the time stands here. */
  readonly hasTime: boolean
}

/** Chats of one sender within this time stand together. */
const TOGETHER_MS = 300_000
const MINUTE_MS = 60_000
/** A browser that keeps count of a thousand rows that are out of sight is busy with that alone; of fifty stretches it is not. */
export const STRETCH_CHATS = 20

interface OpenDay extends DayOfChats {
  readonly stretches: RowOfChat[][]
  readonly beginsMs: number
  readonly endsMs: number
}

/**
 * Chats under the days they were sent on; their order stays that of their positions.
 * @param anchor the index of a chat that begins a stretch: as long as it is the same chat, older ones above leave the stretches as they are
 */
export function daysOf(chats: readonly Chat[], anchor: number): readonly DayOfChats[] {
  const days: OpenDay[] = []
  const used = new Map<string, number>()
  let day: OpenDay | undefined
  for (const [index, chat] of chats.entries()) {
    const atMs = chat.createdAt.getTime()
    let last = chats[index - 1]
    if (day === undefined || atMs < day.beginsMs || atMs >= day.endsMs) {
      day = openDay(chat.createdAt, used)
      days.push(day)
      last = undefined
    }
    const row = {
      chat,
      isFollowing: last?.senderId === chat.senderId && atMs - last.createdAt.getTime() < TOGETHER_MS,
      hasTime: !isOfSameMinute(chat, chats[index + 1]),
    }
    if (last === undefined || (index - anchor) % STRETCH_CHATS === 0) day.stretches.push([row])
    else day.stretches.at(-1)?.push(row)
  }
  return days
}

function openDay(date: Date, used: Map<string, number>): OpenDay {
  const key = keyOf(date)
  const times = (used.get(key) ?? 0) + 1
  used.set(key, times)
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()]
  return {
    key: times === 1 ? key : `${key} ${times}`,
    name: nameOf(date),
    stretches: [],
    beginsMs: new Date(year, month, day).getTime(),
    endsMs: new Date(year, month, day + 1).getTime(),
  }
}

function isOfSameMinute({ senderId, createdAt }: Chat, next: Chat | undefined): boolean {
  if (next?.senderId !== senderId) return false
  return Math.floor(createdAt.getTime() / MINUTE_MS) === Math.floor(next.createdAt.getTime() / MINUTE_MS)
}

function keyOf(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** A format is dear to make, and each row wants one. */
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value} ${name}`
  const known = formats.get(key) ?? new Intl.DateTimeFormat(language.value, options)
  formats.set(key, known)
  return known
}

function nameOf(date: Date): string {
  const today = new Date()
  if (keyOf(date) === keyOf(today)) return text.value.today
  today.setDate(today.getDate() - 1)
  if (keyOf(date) === keyOf(today)) return text.value.yesterday
  return format('day', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }).format(date)
}

export function timeOf(date: Date): string {
  return format('time', { hour: 'numeric', minute: '2-digit' }).format(date)
}
