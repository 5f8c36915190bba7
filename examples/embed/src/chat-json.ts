import { formatPosition, type LoggedChat } from '@sgs-chat/core'

/** A chat as this service shows it. */
export function chatJson({ _id, senderId, content, createdAt, position }: LoggedChat): object {
  return {
    id: _id,
    from: senderId,
    text: content,
    at: new Date(createdAt),
    position: formatPosition(position),
  }
}
