import {
  type ChatSystem,
  type CreateChatOptions,
  createChat,
  embeddedPresence,
  type FileRules,
  type Limits,
  type LoggedChat,
  type RoomId,
  type User,
  userId,
} from '@sgs-chat/core'
import { fileTypeInspector } from '@sgs-chat/file-type'
import {
  type MemoryAttachmentStore,
  type MemoryChatHistory,
  type MemoryChatLog,
  memoryAttachmentStore,
  memoryChatHistory,
  memoryChatLog,
  memoryPresenceStore,
  memoryTokenVerifier,
} from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'
import { onTestFinished } from 'vitest'
import { type HttpServer, type HttpServerOptions, httpServer } from '../src/http-server.ts'

export const ALICE: User = { userId: userId('alice') }
const BOB: User = { userId: userId('bob') }
const EXPIRED: User = { userId: userId('alice'), expiresAtMs: 1 }

const TOKENS = { 'alice-token': ALICE, 'bob-token': BOB, 'old-token': EXPIRED }

/** A real server over a node in memory; closed when the test ends. */
export interface Served {
  readonly chat: ChatSystem
  readonly http: HttpServer
  readonly port: number
  readonly url: string
  readonly log: MemoryChatLog
  readonly history: MemoryChatHistory
  readonly files: MemoryAttachmentStore
  /** A request by alice, unless the headers say otherwise. */
  ask(path: string, init?: RequestInit): Promise<Response>
  /** A chat as JSON. */
  post(body: unknown, headers?: Record<string, string>): Promise<Response>
}

export interface ServeOptions extends Omit<Partial<HttpServerOptions>, 'chat' | 'limits'> {
  readonly chatLimits?: Partial<Limits>
  readonly httpLimits?: HttpServerOptions['limits']
  readonly ports?: Partial<CreateChatOptions>
  /** What the node does with files beside keeping them. */
  readonly rules?: FileRules
  /** Stands in for parts of the node. */
  readonly chat?: (chat: ChatSystem) => Partial<ChatSystem>
}

export async function serve(options: ServeOptions = {}): Promise<Served> {
  const { chatLimits, httpLimits, ports, rules, chat: replace, ...httpOptions } = options
  const log = memoryChatLog()
  const history = memoryChatHistory()
  const files = memoryAttachmentStore()
  const clock = systemClock()
  const real = await createChat({
    log,
    history,
    presence: embeddedPresence({ store: memoryPresenceStore(), clock }),
    clock,
    ids: systemIds(),
    attachments: {
      store: files,
      publicUrl: 'http://chat.test',
      secret: 'of the test',
      inspector: fileTypeInspector(),
      ...rules,
    },
    ...(chatLimits === undefined ? {} : { limits: chatLimits }),
    ...ports,
  })
  const chat = replace === undefined ? real : { ...real, ...replace(real) }
  const http = await httpServer({
    chat,
    tokens: memoryTokenVerifier({ tokens: TOKENS }),
    ...(httpLimits === undefined ? {} : { limits: httpLimits }),
    ...httpOptions,
  })
  const { port } = await http.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(async () => {
    await http.close()
    await real.close()
  })
  const url = `http://127.0.0.1:${port}`
  const ask = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', 'Bearer alice-token')
    return fetch(url + path, { ...init, headers })
  }
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    ask('/chat/send', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return { chat, http, port, url, log, history, files, ask, post }
}

/** Chats of one room, sent past HTTP; oldest first. */
export async function fill(
  { chat }: Served,
  roomId: number,
  count: number,
  content = 'x',
): Promise<LoggedChat[]> {
  const chats: LoggedChat[] = []
  for (let from = 0; from < count; from += 100) {
    const drafts = Array.from({ length: Math.min(100, count - from) }, (_, index) => ({
      roomId: roomId as RoomId,
      messageType: 'TEXT',
      content: `${from + index} ${content}`,
    }))
    for (const sent of await chat.sendAll(ALICE, drafts)) chats.push(sent.chat)
  }
  return chats
}

interface FailureBody {
  readonly result: string
  readonly message: string
  readonly status: string
  readonly code: string
  readonly description: string
  readonly retryable?: boolean
  readonly outcome?: string
}

/** What every failure looks like; answers its code. */
export async function failure(answer: Response): Promise<string> {
  const body = (await answer.json()) as FailureBody
  const keys = Object.keys(body)
  const five = ['result', 'message', 'status', 'code', 'description']
  const isWhole = JSON.stringify(keys) === JSON.stringify([...five, 'retryable', 'outcome'])
  if (!isWhole || body.result !== 'Failed') throw new Error(`no FailedResponse: ${JSON.stringify(body)}`)
  if (answer.headers.get('x-chat-retryable') !== String(body.retryable))
    throw new Error('no X-Chat-Retryable')
  if (answer.headers.get('x-chat-outcome') !== body.outcome) throw new Error('no X-Chat-Outcome')
  if (answer.headers.get('content-type') !== 'application/json; charset=utf-8') throw new Error('not JSON')
  return `${answer.status} ${body.code}`
}
