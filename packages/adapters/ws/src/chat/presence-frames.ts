import type { PresenceNews, PresencePicture } from '@sgs-chat/core'
import { OutboundMessage } from '../outbound-message.ts'
import { MessageTemplate } from '../stomp/encoder.ts'
import type { SharedFraming } from './chat-frames.ts'

export type PresenceMessage = PresencePicture | PresenceNews

/**
 * The frames of the presence message that is being delivered: encoded once, framed once for each distinct subscription.
 * A message goes to all subscribers of its room in one synchronous pass, so that remembering one is enough.
 */
export class PresenceFraming {
  readonly #contentType: string
  #count = 0
  #latest: { message: PresenceMessage; messageId: string; template: MessageTemplate } | undefined
  readonly #frames = new Map<string, OutboundMessage>()

  constructor({ contentType }: { contentType: string }) {
    this.#contentType = contentType
  }

  frame(message: PresenceMessage, { key, version, lines, ackPrefix }: SharedFraming): OutboundMessage {
    const { messageId, template } = this.#templateOf(message)
    const known = this.#frames.get(key)
    if (known !== undefined) return known
    const frame = new OutboundMessage(
      ackPrefix === undefined
        ? template.frame(version, lines)
        : template.frameWithAck(version, lines, `${ackPrefix}/${messageId}`),
    )
    this.#frames.set(key, frame)
    return frame
  }

  #templateOf(message: PresenceMessage): { messageId: string; template: MessageTemplate } {
    if (this.#latest?.message === message) return this.#latest
    this.#frames.clear()
    this.#count += 1
    const messageId = `presence-${this.#count}`
    const template = new MessageTemplate({
      destination: `/topic/${message.roomId}/presence`,
      messageId,
      contentType: this.#contentType,
      body: bodyOf(message),
    })
    this.#latest = { message, messageId, template }
    return this.#latest
  }
}

function bodyOf(message: PresenceMessage): string {
  const { roomId, count } = message
  if ('users' in message) {
    const { users, complete } = message
    return JSON.stringify({ type: 'present', roomId, count, users, complete })
  }
  const { joined, left } = message
  return JSON.stringify({ type: 'changed', roomId, count, joined, left })
}
