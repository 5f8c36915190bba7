import type { Chat } from '@sgs-chat/client'
import { language } from '../preferences.ts'
import { text } from '../text.ts'

export interface DayOfChats {
  /** `2026-11-24`, or with a number when chats of that day lie apart. */
  readonly key: string
  readonly name: string
  readonly chats: readonly { readonly chat: Chat; readonly isFollowing: boolean }[]
}

/** Chats of one sender within this time stand together. */
const TOGETHER_MS = 300_000

/** Chats under the days they were sent on; their order stays that of their positions. */
export function daysOf(chats: readonly Chat[]): readonly DayOfChats[] {
  const days: { key: string; name: string; chats: { chat: Chat; isFollowing: boolean }[] }[] = []
  const used = new Map<string, number>()
  let last: Chat | undefined
  let lastKey = ''
  for (const chat of chats) {
    const key = keyOf(chat.createdAt)
    if (key !== lastKey) {
      const times = (used.get(key) ?? 0) + 1
      used.set(key, times)
      days.push({ key: times === 1 ? key : `${key} ${times}`, name: nameOf(chat.createdAt), chats: [] })
      lastKey = key
      last = undefined
    }
    const isFollowing =
      last?.senderId === chat.senderId && chat.createdAt.getTime() - last.createdAt.getTime() < TOGETHER_MS
    days.at(-1)?.chats.push({ chat, isFollowing })
    last = chat
  }
  return days
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
