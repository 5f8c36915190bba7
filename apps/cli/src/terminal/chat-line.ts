/** What a chat is shown by. */
export interface ShownChat {
  readonly senderId: string
  readonly messageType: string
  readonly content: string
  readonly createdAt: unknown
}

/** One line of a terminal: local time, with the day unless it is today, sender, content. What could move the cursor or colour the terminal is taken out. */
export function chatLine(chat: ShownChat, now: Date = new Date()): string {
  const { senderId, messageType, content, createdAt } = chat
  const kind = messageType === 'TEXT' ? '' : ` [${plain(messageType)}]`
  return `${timeText(createdAt, now)} ${plain(senderId)}${kind}: ${plain(content)}`
}

/** Control characters of both sets (ECMA-48), and those that turn the direction of a text. */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

function plain(text: string): string {
  return text.replace(/\r?\n/g, ' ⏎ ').replace(CONTROLS, '�')
}

/** With CHAT_COMPAT=sgs a delivered time is an array without a zone, `[y,M,d,h,m,s,…]`; it is shown as it is. */
function timeText(createdAt: unknown, now: Date): string {
  const time = Array.isArray(createdAt) ? localTime(createdAt.map(Number)) : new Date(String(createdAt))
  if (Number.isNaN(time.getTime())) return '--:--:--'
  const clock = time.toTimeString().slice(0, 8)
  if (time.toDateString() === now.toDateString()) return clock
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`
}

function localTime([year = Number.NaN, month = 1, day = 1, ...clock]: readonly number[]): Date {
  const [hour = 0, minute = 0, second = 0] = clock
  return new Date(year, month - 1, day, hour, minute, second)
}
