import type { Chat } from '@sgs-chat/client'
import { attachmentOf } from '../attachment.ts'
import { type RowOfChat, timeOf } from '../days.ts'
import { Avatar } from './avatar.tsx'
import { FileCard } from './file-card.tsx'
import { Linked } from './linked.tsx'
import { Picture } from './picture.tsx'

interface ChatRowProps extends RowOfChat {
  readonly isOwn: boolean
}

/** There are a thousand of these: no element more than what is seen or heard. */
export function ChatRow({ chat, isOwn, isFollowing, hasTime }: ChatRowProps) {
  const { id, senderId, createdAt } = chat
  return (
    <li class={`chat${isOwn ? ' own' : ''}${isFollowing ? ' following' : ''}`} data-id={id}>
      {isFollowing ? (
        <Content chat={chat} />
      ) : (
        <>
          {isOwn ? null : <Avatar name={senderId} />}
          <div class="said">
            <span class={isOwn ? 'visually-hidden' : 'sender'}>{senderId}</span>
            <Content chat={chat} />
          </div>
        </>
      )}
      {hasTime ? <time dateTime={createdAt.toJSON() ?? undefined}>{timeOf(createdAt)}</time> : null}
    </li>
  )
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
