import { ERRORS } from '@sgs-chat/core'
import { apiSchemas } from '@sgs-chat/http'
import { z } from 'zod'

type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean

const POSITION = { type: 'string', pattern: '^\\d+:(-1|\\d+)$', description: 'epoch:seq' }
const BOOLEAN = { type: 'string', enum: ['true', 'false'] }

function text(description: string): Json {
  return { type: 'string', description }
}

function headers(properties: Readonly<Record<string, Json>>, required: readonly string[] = []): Json {
  return { type: 'object', properties, required }
}

function message(title: string, summary: string, of: Json, payload: string | undefined): Json {
  return {
    name: title,
    title,
    summary,
    contentType: 'application/json',
    headers: of,
    ...(payload === undefined ? {} : { payload: { $ref: `#/components/schemas/${payload}` } }),
  }
}

const MESSAGES: Readonly<Record<string, Json>> = {
  Send: message(
    'SEND',
    'A chat. Its RECEIPT comes once the log has it, with message-id and position.',
    headers({
      destination: text('/queue/send'),
      receipt: text('asks for a RECEIPT; without it a failure is only told to /user/queue/errors'),
      'client-message-id': text('the same name again is the same chat; also as clientMessageId in the body'),
      retry: { ...BOOLEAN, description: 'this may be a repeat of a send whose answer was lost' },
      transaction: text('an open BEGIN; its SENDs are of one room and appended at COMMIT, all or none'),
    }),
    'ChatDraft',
  ),
  Chat: message(
    'MESSAGE',
    'A chat of the room, in the order of positions: first what was missed since `since`, then live.',
    headers(
      {
        subscription: text('the id of the SUBSCRIBE'),
        destination: text('/topic/{roomId}'),
        'message-id': text("the chat's _id"),
        position: POSITION,
        'content-type': text('application/json;charset=UTF-8'),
        ack: text('in 1.2, unless the mode is auto'),
      },
      ['subscription', 'destination', 'message-id', 'position'],
    ),
    'Chat',
  ),
  Result: message(
    'MESSAGE',
    "The chat of one of this session's own acknowledged SENDs.",
    headers({ subscription: text('the id of the SUBSCRIBE'), 'message-id': text("the chat's _id") }),
    'Chat',
  ),
  Presence: message(
    'MESSAGE',
    'Who is in the room: first `present`, then `changed` as users come and go; `present` again after news were dropped.',
    headers({ subscription: text('the id of the SUBSCRIBE'), 'message-id': text('presence-…') }),
    'PresenceMessage',
  ),
  Failure: message(
    'MESSAGE',
    'What failed of what this session asked for.',
    headers({
      'receipt-id': text('the receipt that the failed frame asked for'),
      'client-message-id': text('of the failed SEND'),
      'failed-destination': text('of the refused SUBSCRIBE, or whose right has ended'),
      retryable: BOOLEAN,
      outcome: { type: 'string', enum: ['rejected', 'unknown'] },
    }),
    'FailedResponse',
  ),
}

interface Channel {
  readonly address: string
  readonly description: string
  readonly message: keyof typeof MESSAGES
  /** As AsyncAPI has it: what the server does. */
  readonly action: 'send' | 'receive'
}

const CHANNELS: Readonly<Record<string, Channel>> = {
  send: {
    address: '/queue/send',
    description: 'Where clients send chats. A SEND to /topic/… is refused.',
    message: 'Send',
    action: 'receive',
  },
  room: {
    address: '/topic/{roomId}',
    description:
      'A room. SUBSCRIBE with a receipt learns `epoch` and `head-seq`; with `since: epoch:seq` also `recovered` and, when false, ' +
      '`reason`: epoch, too-far, trimmed or unavailable.',
    message: 'Chat',
    action: 'send',
  },
  presence: {
    address: '/topic/{roomId}/presence',
    description:
      'Who is in a room, for those who may read it. Being subscribed here is not being in the room.',
    message: 'Presence',
    action: 'send',
  },
  results: {
    address: '/topic/group',
    description: "The results of this session's own SENDs.",
    message: 'Result',
    action: 'send',
  },
  errors: {
    address: '/user/queue/errors',
    description: 'Failures. A session without this subscription gets an ERROR frame instead, and is closed.',
    message: 'Failure',
    action: 'send',
  },
}

/** AsyncAPI 3 of what STOMP clients send and get; the shapes of bodies are those of the OpenAPI document. */
export function asyncApiDocument(): Json {
  const { schemas } = z.toJSONSchema(apiSchemas, {
    target: 'draft-7',
    uri: id => `#/components/schemas/${id}`,
    io: 'output',
  })
  const used = [...new Set(['Chat', 'ChatDraft', 'FailedResponse'])]
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'SGS chat over STOMP',
      version: '1.0.0',
      description:
        'STOMP 1.0, 1.1 and 1.2 over WebSocket or SockJS at /chat/connect. CONNECT carries `Authorization: Bearer <JWT>`. ' +
        `Failures have one of these codes: ${Object.values(ERRORS)
          .map(({ code }) => code)
          .join(', ')}. The rules are in SPEC.md, sections G and W.`,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      websocket: {
        host: 'localhost:8031',
        pathname: '/chat/connect/websocket',
        protocol: 'ws',
        description: 'STOMP on a raw WebSocket; SockJS clients use /chat/connect',
        security: [{ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }],
      },
    },
    channels: Object.fromEntries(
      Object.entries(CHANNELS).map(([name, { address, description, message: of }]) => [
        name,
        {
          address,
          description,
          ...(address.includes('{roomId}')
            ? { parameters: { roomId: { description: '0 … 2^53−1 in plain decimal; 0 is the lobby' } } }
            : {}),
          messages: { [of]: { $ref: `#/components/messages/${of}` } },
        },
      ]),
    ),
    operations: Object.fromEntries(
      Object.entries(CHANNELS).map(([name, { action, message: of }]) => [
        name,
        {
          action,
          channel: { $ref: `#/channels/${name}` },
          messages: [{ $ref: `#/channels/${name}/messages/${of}` }],
        },
      ]),
    ),
    components: {
      messages: MESSAGES,
      schemas: Object.fromEntries(used.map(id => [id, withoutMeta(schemas[id])])),
    },
  }
}

/** `$schema` and `$id` are about a document of its own. */
function withoutMeta(schema: unknown): Json {
  const { $schema: _schema, $id: _id, ...rest } = schema as Readonly<Record<string, Json>>
  return rest
}
