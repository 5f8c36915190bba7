import type { Chat } from '@sgs-chat/client'
import type { VNode } from 'preact'
import type { Stretch } from '../days.ts'
import { language } from '../preferences.ts'
import { ChatRow } from './chat-row.tsx'

/** Of a row, in rem: what a stretch takes up until it was in sight once. */
const ROW_REM = 2.9

function ChatStretch({ rows, ownId }: { readonly rows: Stretch; readonly ownId: string }) {
  return (
    <ol class="stretch" style={{ containIntrinsicSize: `auto ${rows.length * ROW_REM}rem` }}>
      {rows.map(row => (
        <ChatRow key={row.chat.id} {...row} isOwn={row.chat.senderId === ownId} />
      ))}
    </ol>
  )
}

interface Known {
  readonly signature: string
  readonly element: VNode
}

/** By their first chat. */
const stretches = new WeakMap<Chat, Known>()

/** A thousand chats are on the page, and nearly all stay as they are: Preact does not look at the same element twice. */
export function chatStretch(rows: Stretch, ownId: string): VNode | null {
  const [first, last] = [rows[0], rows.at(-1)]
  if (first === undefined || last === undefined) return null
  const signature = JSON.stringify([
    language.value,
    ownId,
    rows.length,
    last.chat.id,
    first.isFollowing,
    last.hasTime,
  ])
  const known = stretches.get(first.chat)
  if (known?.signature === signature) return known.element
  const element = <ChatStretch key={first.chat.id} rows={rows} ownId={ownId} />
  stretches.set(first.chat, { signature, element })
  return element
}
