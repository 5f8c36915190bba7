/** What a chat is shown by. */
export interface ShownChat {
  readonly senderId: string
  readonly messageType: string
  readonly content: string
  readonly createdAt: unknown
}

/** One line of a terminal: local time, sender, content. What could move the cursor or colour the terminal is taken out. */
export function chatLine({ senderId, messageType, content, createdAt }: ShownChat): string {
  const kind = messageType === 'TEXT' ? '' : ` [${plain(messageType)}]`
  return `${timeText(createdAt)} ${plain(senderId)}${kind}: ${plain(content)}`
}

/** Control characters of both sets (ECMA-48), and those that turn the direction of a text. */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

function plain(text: string): string {
  return text.replace(/\r?\n/g, ' ⏎ ').replace(CONTROLS, '�')
}

/** With CHAT_COMPAT=sgs a delivered time is an array without a zone; it is shown as it is. */
function timeText(createdAt: unknown): string {
  if (Array.isArray(createdAt)) {
    const [hour = 0, minute = 0, second = 0] = createdAt.slice(3).map(Number)
    return [hour, minute, second].map(part => String(part).padStart(2, '0')).join(':')
  }
  const time = new Date(String(createdAt))
  return Number.isNaN(time.getTime()) ? '--:--:--' : time.toTimeString().slice(0, 8)
}
