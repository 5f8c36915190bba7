import type { Chat } from '@sgs-chat/client'
import type { VNode } from 'preact'
import { attachmentOf } from '../attachment.ts'
import { language } from '../preferences.ts'
import { Avatar } from './avatar.tsx'
import { timeOf } from './days.ts'
import { FileCard } from './file-card.tsx'
import { Linked } from './linked.tsx'
import { Picture } from './picture.tsx'

interface ChatRowProps {
  readonly chat: Chat
  readonly isOwn: boolean
  /** The one above is of the same sender, a moment before: the name stands there. */
  readonly isFollowing: boolean
}

function ChatRow({ chat, isOwn, isFollowing }: ChatRowProps) {
  const { id, senderId, createdAt } = chat
  return (
    <li class={`chat${isOwn ? ' own' : ''}${isFollowing ? ' following' : ''}`} data-id={id}>
      {isOwn ? null : isFollowing ? <span class="no-avatar" /> : <Avatar name={senderId} />}
      <div class="said">
        <span class={isFollowing || isOwn ? 'visually-hidden' : 'sender'}>{senderId}</span>
        <Content chat={chat} />
      </div>
      <time dateTime={createdAt.toJSON() ?? undefined}>{timeOf(createdAt)}</time>
    </li>
  )
}

interface KnownRow {
  readonly key: string
  readonly row: VNode
}

const rows = new WeakMap<Chat, KnownRow>()

/** A thousand rows are on the page, and nearly all of them stay as they are: Preact does not look at the same element twice. */
export function chatRow(props: ChatRowProps): VNode {
  const { chat, isOwn, isFollowing } = props
  const key = `${language.value} ${isOwn} ${isFollowing}`
  const known = rows.get(chat)
  if (known?.key === key) return known.row
  const row = <ChatRow key={chat.id} {...props} />
  rows.set(chat, { key, row })
  return row
}

function Content({ chat }: { readonly chat: Chat }) {
  const attachment = attachmentOf(chat)
  if (attachment === undefined)
    return (
      <p class="bubble">
        <Linked words={chat.content} />
      </p>
    )
  return attachment.isPicture ? (
    <Picture url={attachment.url} sender={chat.senderId} />
  ) : (
    <FileCard url={attachment.url} />
  )
}
