import { z } from 'zod'

/** The schemas below by the name that the OpenAPI document gives them. */
export const apiSchemas: z.core.$ZodRegistry<{ id: string }> = z.registry<{ id: string }>()

export const SECURED: readonly { readonly [name: string]: readonly string[] }[] = [{ bearer: [] }]

function named<T extends z.ZodType>(id: string, schema: T): T {
  apiSchemas.add(schema, { id })
  return schema
}

const roomId = z.int().min(0).describe('0 … 2^53−1; room 0 is the lobby')
const position = z
  .string()
  .regex(/^\d+:(-1|\d+)$/)
  .describe(
    'epoch:seq, the place in the room; growing, the same on every node, not dense; seq −1 is the head of an empty room',
  )

const chatSchema = named(
  'Chat',
  z.object({
    _id: z.string(),
    roomId,
    senderId: z.string(),
    messageType: z.string().describe("TEXT, FILE, IMAGE or a type of the app's own"),
    content: z.string().describe("the text, or the file's link"),
    createdAt: z.string().describe('ISO-8601 UTC; under CHAT_COMPAT=sgs local time without a zone'),
    position: position.optional().describe("absent under CHAT_COMPAT=sgs on the contract's routes"),
  }),
)

/** Every failure of every route. */
export const FAILURES: z.ZodType = named(
  'FailedResponse',
  z.object({
    result: z.literal('Failed'),
    message: z.string(),
    status: z.string().describe("the contract's word, such as 400 BAD_REQUEST"),
    code: z.string().regex(/^CHAT-\d{3}$/),
    description: z.string().describe('what was wrong with this request'),
    retryable: z.boolean().optional().describe('absent under CHAT_COMPAT=sgs; see X-Chat-Retryable'),
    outcome: z
      .enum(['rejected', 'unknown'])
      .optional()
      .describe('absent under CHAT_COMPAT=sgs; see X-Chat-Outcome'),
  }),
)

const success = { result: z.literal('SUCCESS'), message: z.string() }

export const sendBodySchema: z.ZodType = named(
  'ChatDraft',
  z.object({
    roomId: z.union([z.int().min(0), z.string().regex(/^(0|[1-9]\d*)$/)]),
    messageType: z.string().min(1),
    content: z.string(),
    senderId: z.string().nullish().describe("the token's own user, or left out"),
    clientMessageId: z.string().nullish().describe('the same name again is the same chat'),
    retry: z.boolean().nullish().describe('this may be a repeat of a send whose answer was lost'),
  }),
)

// No route names it: api-documents.ts adds it beside the JSON body.
named(
  'FileDraft',
  z.object({
    roomId: z.string().describe('all text fields stand before the file'),
    messageType: z.string(),
    senderId: z.string().optional(),
    clientMessageId: z.string().optional(),
    retry: z.enum(['true', 'false']).optional(),
    content: z.string().meta({ format: 'binary' }).describe('the file'),
  }),
)

export const sentSchema: z.ZodType = named('SentChat', z.object({ ...success, data: chatSchema }))
export const chatsSchema: z.ZodType = named('Chats', z.object({ ...success, data: z.array(chatSchema) }))
const cursorPageSchema = named(
  'ChatPage',
  z.object({
    ...success,
    data: z.array(chatSchema).describe('newest first, each with its position'),
    hasMore: z.boolean().describe('on any side that was asked about'),
    hasOlder: z.boolean().optional(),
    hasNewer: z.boolean().optional(),
    head: position.describe('the newest place this node knew'),
    complete: z.boolean().describe('false: not all that belongs here could be read in time'),
  }),
)
export const historyPageSchema: z.ZodType = z.union([chatsSchema, cursorPageSchema])

export const roomParamsSchema: z.ZodType = z.object({
  roomId: z.string().describe('0 … 2^53−1 in plain decimal'),
})
export const historyQuerySchema: z.ZodType = z.object({
  roomId: z.string(),
  page: z.string().optional().describe('1 is the newest; default 1'),
  size: z.string().optional().describe('chats of a page; default 20'),
  until: position
    .optional()
    .describe('X-Chat-Until of the first page: keeps the pages still while chats arrive'),
  before: position.optional().describe('chats right below; one of before, after, around'),
  after: position.optional().describe('chats right above'),
  around: position.optional().describe('chats on both sides, the one at it included'),
  limit: z.string().optional().describe('chats by position; default 50; alone: the newest'),
  min: position
    .optional()
    .describe('waits until this node knows the room up to here: X-Chat-Position of a send'),
})

export const fileParamsSchema: z.ZodType = z.object({
  roomId: z.string(),
  name: z.string().describe('{id}.{ext}'),
})
export const fileQuerySchema: z.ZodType = z.object({
  t: z.string().describe('the ticket in the link'),
  size: z
    .string()
    .optional()
    .describe('the picture fitted into a square of so many pixels: one of THUMBNAIL_SIZES'),
})
export const fileBytesSchema: z.ZodType = z.string().meta({ format: 'binary' })

/** An answer without a body. */
export function emptySchema(description: string): z.ZodType {
  return z.null().describe(description)
}

export const announcedFileSchema: z.ZodType = named(
  'AnnouncedFile',
  z.object({
    roomId: z.union([z.int().min(0), z.string().regex(/^(0|[1-9]\d*)$/)]),
    name: z.string().describe('the name it is downloaded under; folders in it are cut off'),
    contentType: z.string().nullish().describe('a hint: what the file is, is told by its bytes'),
    bytes: z.int().min(1).describe('exactly as many come'),
    clientMessageId: z
      .string()
      .nullish()
      .describe('that of the chat: announced again under it, it is the same file with the same link'),
  }),
)
export const preparedUploadSchema: z.ZodType = named(
  'PreparedUpload',
  z.object({
    ...success,
    data: z.object({
      id: z.string(),
      roomId,
      link: z.string().describe('content of the chat that is sent once the file is up'),
      upload: z
        .object({
          method: z.literal('POST'),
          url: z.string(),
          fields: z.record(z.string(), z.string()).describe('all of them, before the file'),
          fileField: z.string().describe('the name of the file part'),
        })
        .optional()
        .describe('absent when the file is here already, from an earlier try'),
      expiresAt: z.string().describe('ISO-8601 UTC'),
    }),
  }),
)

export const presenceSchema: z.ZodType = named(
  'RoomPresence',
  z.object({
    ...success,
    data: z.object({
      roomId,
      users: z.array(z.object({ userId: z.string(), sessions: z.int().min(1) })),
      complete: z.boolean(),
    }),
  }),
)
named(
  'PresenceMessage',
  z.discriminatedUnion('type', [
    z.object({
      type: z.literal('present'),
      roomId,
      count: z.int().min(0).describe('users in the room'),
      users: z.array(z.string()).describe('ordered by id; in a big room not all'),
      complete: z.boolean(),
    }),
    z.object({
      type: z.literal('changed'),
      roomId,
      count: z.int().min(0),
      joined: z.array(z.string()),
      left: z.array(z.string()),
    }),
  ]),
)
export const healthSchema: z.ZodType = named('Health', z.object({ status: z.enum(['live', 'ready']) }))
export const devTokenBodySchema: z.ZodType = named(
  'DevTokenRequest',
  z.object({ user: z.string().min(1).max(255) }),
)
export const devTokenSchema: z.ZodType = named(
  'DevToken',
  z.object({ ...success, data: z.object({ token: z.string() }) }),
)
