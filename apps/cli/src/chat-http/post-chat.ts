import { openAsBlob } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../exit-codes.ts'
import type { ClientOptions } from '../stomp/client-options.ts'
import { failureIn, NobodyThereError } from '../stomp/stomp-connection.ts'

/** What is to be sent into a room. */
export type Sending =
  | { readonly kind: 'text'; readonly content: string; readonly messageType: string }
  | { readonly kind: 'file'; readonly path: string; readonly messageType: string }

export interface PostOptions extends Pick<ClientOptions, 'nodes' | 'answerTimeoutMs'> {
  readonly token: string
  readonly roomId: number
  /** The same on every try, so that the chat is there once (docs/SPEC.md, G3.3). */
  readonly clientMessageId: string
  /** Told while a file goes out. */
  readonly progress: (sentBytes: number, totalBytes: number) => void
}

export interface Posted {
  readonly chat: { readonly _id: string; readonly content: string; readonly createdAt: string }
  /** Serves as `min` of a later read. */
  readonly position: string | undefined
}

/** The server has refused the chat. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly code: string

  constructor(code: string, description: string) {
    super(`${code}: ${description}`)
    this.code = code
  }
}

const TRIES = 5
const FIRST_WAIT_MS = 100
/** The server may have it or not, or may take it in a moment. */
const RETRIED_STATUS = new Set([429, 502, 503, 504])

/**
 * Sends over HTTP, to node after node until one has answered. A file goes out again from its beginning.
 * @throws RefusedError | NobodyThereError | UsageError
 */
export async function postChat(sending: Sending, options: PostOptions): Promise<Posted> {
  let refused: RefusedError | undefined
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (tries > 0) await sleep(FIRST_WAIT_MS * 2 ** tries)
    const node = options.nodes[tries % options.nodes.length] ?? ''
    const response = await post(node, sending, options, tries > 0)
    if (response === undefined) continue
    const text = await response.text()
    if (response.status === 201) {
      const { data } = JSON.parse(text) as { data: Posted['chat'] }
      return { chat: data, position: response.headers.get('x-chat-position') ?? undefined }
    }
    const { code, description } = failureIn(text)
    refused = new RefusedError(code, description === '' ? `${node} answers ${response.status}` : description)
    if (!RETRIED_STATUS.has(response.status)) break
  }
  throw refused ?? new NobodyThereError(options.nodes)
}

/** Undefined when nobody answered. */
async function post(
  node: string,
  sending: Sending,
  options: PostOptions,
  retry: boolean,
): Promise<Response | undefined> {
  const { body, headers } = await requestOf(sending, options, retry)
  try {
    return await fetch(`${node}/chat/send`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${options.token}` },
      body,
      // A stream can only be sent while the answer is not read yet.
      duplex: 'half',
      signal: AbortSignal.timeout(options.answerTimeoutMs),
    })
  } catch {
    return undefined
  }
}

interface RequestParts {
  readonly body: string | ReadableStream<Uint8Array>
  readonly headers: Readonly<Record<string, string>>
}

async function requestOf(sending: Sending, options: PostOptions, retry: boolean): Promise<RequestParts> {
  const { roomId, clientMessageId } = options
  const { messageType } = sending
  if (sending.kind === 'text') {
    const chat = {
      roomId,
      messageType,
      content: sending.content,
      clientMessageId,
      ...(retry ? { retry } : {}),
    }
    return { body: JSON.stringify(chat), headers: { 'content-type': 'application/json' } }
  }
  const file = await openedFile(sending.path)
  const form = new FormData()
  // The fields come before the file: its room must be known before its first byte is stored.
  for (const [name, value] of Object.entries({ roomId: String(roomId), messageType, clientMessageId }))
    form.set(name, value)
  if (retry) form.set('retry', 'true')
  form.set('content', file, basename(sending.path))
  const { body, headers } = new Response(form)
  if (body === null) throw new Error('a form has a body')
  return {
    body: body.pipeThrough(counted(sent => options.progress(Math.min(sent, file.size), file.size))),
    headers: { 'content-type': headers.get('content-type') ?? '' },
  }
}

function counted(tell: (bytes: number) => void): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length
      tell(bytes)
      controller.enqueue(chunk)
    },
  })
}

/** Looked at first: a blob of a folder is made, and only its reading fails, in nobody's hands. */
async function openedFile(path: string): Promise<Blob> {
  try {
    await access(path, constants.R_OK)
    if (!(await stat(path)).isFile()) throw new UsageError(`--file: ${path} is not a file`)
    return await openAsBlob(path)
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(`--file: ${path} cannot be read`, { cause })
  }
}
