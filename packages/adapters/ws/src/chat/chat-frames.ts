import { formatPosition, type LoggedChat } from '@sgs-chat/core'
import { OutboundMessage } from '../outbound-message.ts'
import { MessageTemplate, subscriptionLines } from '../stomp/encoder.ts'
import type { StompVersion } from '../stomp/frame.ts'
import type { SubscribeRequest } from '../stomp/session-handler.ts'
import type { ChatEncoding } from './chat-encoding.ts'

/** What the frames of one subscription have of their own. */
export interface SubscriptionFraming {
  readonly version: StompVersion
  /** From `subscriptionLines`. */
  readonly lines: string
  /** The subscription's id when its messages must carry an `ack` header (STOMP 1.2, ack other than auto). */
  readonly ackPrefix: string | undefined
}

/** One of many subscriptions that get the same chats. */
export interface SharedFraming extends SubscriptionFraming {
  /** Equal for subscriptions that get equal frames. */
  readonly key: string
}

/** Framings that are remembered; beyond them the oldest is forgotten, and equal subscriptions may have one each. */
const MAX_SHARED_FRAMINGS = 1_024
const sharedFramings = new Map<string, SharedFraming>()

/**
 * Equal subscriptions have one framing between them: clients give their subscriptions the same few ids, and so a delivery
 * compares references, and an idle client keeps one.
 */
export function sharedFraming(version: StompVersion, request: SubscribeRequest): SharedFraming {
  const needsAck = version === '1.2' && request.ack !== 'auto'
  const lines = subscriptionLines(version, request.id)
  const key = `${version}${needsAck ? ' ack ' : ' '}${lines}`
  const known = sharedFramings.get(key)
  if (known !== undefined) return known
  const framing = { version, lines, key, ackPrefix: needsAck ? (request.id ?? '') : undefined }
  const [oldest] = sharedFramings.keys()
  if (oldest !== undefined && sharedFramings.size >= MAX_SHARED_FRAMINGS) sharedFramings.delete(oldest)
  sharedFramings.set(key, framing)
  return framing
}

/** The MESSAGE frames of one chat: encoded once, framed once for each distinct subscription id. */
class ChatFrames {
  readonly chat: LoggedChat
  readonly #template: MessageTemplate
  /** Most rooms have one id for all subscribers, so that the first one is compared before any map is asked. */
  #firstKey: string | undefined
  #first: OutboundMessage | undefined
  #others: Map<string, OutboundMessage> | undefined

  constructor(chat: LoggedChat, template: MessageTemplate) {
    this.chat = chat
    this.#template = template
  }

  frame(framing: SharedFraming): OutboundMessage {
    const { key } = framing
    if (this.#first !== undefined && key === this.#firstKey) return this.#first
    let message = this.#others?.get(key)
    if (message === undefined) {
      message = this.#make(framing)
      this.#keep(key, message)
    }
    return message
  }

  #make({ version, lines, ackPrefix }: SubscriptionFraming): OutboundMessage {
    const template = this.#template
    return new OutboundMessage(
      ackPrefix === undefined
        ? template.frame(version, lines)
        : template.frameWithAck(version, lines, `${ackPrefix}/${this.chat._id}`),
    )
  }

  #keep(key: string, message: OutboundMessage): void {
    if (this.#first === undefined) {
      this.#firstKey = key
      this.#first = message
    } else {
      this.#others ??= new Map()
      this.#others.set(key, message)
    }
  }
}

/**
 * The frames of the chat that is being delivered. A chat goes to all subscribers of its room in one synchronous pass, so
 * that remembering one is enough; a reader that catches up at the same time costs an encoding, not an order.
 */
export class ChatFraming {
  readonly #encoding: ChatEncoding
  #latest: ChatFrames | undefined

  constructor(encoding: ChatEncoding) {
    this.#encoding = encoding
  }

  frame(chat: LoggedChat, framing: SharedFraming): OutboundMessage {
    if (this.#latest?.chat !== chat) this.#latest = new ChatFrames(chat, this.#template(chat))
    return this.#latest.frame(framing)
  }

  #template(chat: LoggedChat): MessageTemplate {
    return chatTemplate(chat, `/topic/${chat.roomId}`, this.#encoding)
  }
}

/** A chat as a MESSAGE of the destination. */
export function chatTemplate(chat: LoggedChat, destination: string, encoding: ChatEncoding): MessageTemplate {
  return new MessageTemplate({
    destination,
    messageId: chat._id,
    contentType: encoding.contentType,
    headers: [['position', formatPosition(chat.position)]],
    body: encoding.chat(chat),
  })
}
