import type { ChatError, LoggedChat } from '@sgs-chat/core'
import { MessageTemplate, type StompHeader } from '../stomp/encoder.ts'
import type { StompSession } from '../stomp/session.ts'
import { chatTemplate } from './chat-frames.ts'
import type { ChatSubscription } from './chat-subscription.ts'
import type { EndpointContext } from './endpoint-context.ts'
import {
  ERRORS_DESTINATION,
  type OwnDestination,
  type OwnSubscription,
  RESULTS_DESTINATION,
} from './own-subscription.ts'

type Session = StompSession<ChatSubscription>

/** Whether failures can be told to the session without ending it. */
export function hearsErrors(stomp: Session): boolean {
  return own(stomp, ERRORS_DESTINATION).length > 0
}

/** A FailedResponse to every error subscription of the session; false: there is none. */
export function tellFailure(
  stomp: Session,
  context: EndpointContext,
  error: ChatError,
  headers: readonly StompHeader[],
): boolean {
  const hearers = own(stomp, ERRORS_DESTINATION)
  if (hearers.length === 0) return false
  context.report(error)
  const messageId = context.nextErrorId()
  const template = new MessageTemplate({
    destination: ERRORS_DESTINATION,
    messageId,
    contentType: context.encoding.contentType,
    headers: [...headers, ['retryable', String(error.retryable)], ['outcome', error.outcome]],
    body: context.encoding.failure(error),
  })
  for (const hearer of hearers) deliver(stomp, hearer, template, messageId)
  return true
}

/** The result of one of the session's own SENDs, to those of its subscriptions that want it (SPEC G11.1). */
export function tellResult(stomp: Session, context: EndpointContext, chat: LoggedChat): void {
  const hearers = own(stomp, RESULTS_DESTINATION)
  if (hearers.length === 0) return
  const template = chatTemplate(chat, RESULTS_DESTINATION, context.encoding)
  for (const hearer of hearers) deliver(stomp, hearer, template, chat._id)
}

function own(stomp: Session, destination: OwnDestination): readonly OwnSubscription[] {
  const found: OwnSubscription[] = []
  for (const subscription of stomp.subscriptions()) {
    if (subscription.kind === 'own' && subscription.destination === destination) found.push(subscription)
  }
  return found
}

function deliver(
  stomp: Session,
  hearer: OwnSubscription,
  template: MessageTemplate,
  messageId: string,
): void {
  const { version, lines, ackPrefix } = hearer
  stomp.write(
    ackPrefix === undefined
      ? template.frame(version, lines)
      : template.frameWithAck(version, lines, `${ackPrefix}/${messageId}`),
  )
}
