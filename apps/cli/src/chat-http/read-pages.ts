import { type Position, positionIn, positionText } from '../position.ts'
import { failureIn } from '../stomp/stomp-connection.ts'

/** A chat of the history, as far as one can rely on it in every mode. */
interface PagedChat {
  readonly _id: string
  readonly senderId: string
  readonly messageType: string
  readonly content: string
  readonly createdAt: string
  readonly position: Position
}

export interface PageQuery {
  readonly node: string
  readonly token: string
  readonly roomId: number
  readonly side: { readonly before: Position } | { readonly after: Position } | 'latest'
  readonly limit: number
  readonly timeoutMs: number
}

export interface Page {
  /** As the server gave them. */
  readonly chats: readonly PagedChat[]
  readonly hasMore: boolean
  /** False when the server says that it could not wait for everything that it should have. */
  readonly complete: boolean
}

/** A page that could not be read. */
export class PageError extends Error {
  override readonly name = 'PageError'
  /** The server's code; undefined when there was no server to be heard. */
  readonly code: string | undefined

  constructor(message: string, code?: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** One page by position (docs/SPEC.md, R4). @throws PageError */
export async function readPage({ node, token, roomId, side, limit, timeoutMs }: PageQuery): Promise<Page> {
  const query = new URLSearchParams({ roomId: String(roomId), limit: String(limit) })
  if (side !== 'latest') {
    const [name, position] =
      'before' in side ? (['before', side.before] as const) : (['after', side.after] as const)
    query.set(name, positionText(position))
  }
  const { status, text } = await get(`${node}/chat/history?${query.toString()}`, token, timeoutMs)
  if (status !== 200) {
    const { code, description } = failureIn(text)
    throw new PageError(`${node} answers ${status} ${code} ${description}`, code)
  }
  const body = JSON.parse(text) as {
    data: WirePagedChat[]
    hasMore: boolean
    hasOlder?: boolean
    complete: boolean
  }
  const chats = body.data.map(chat => {
    const position = positionIn(chat.position)
    if (position === undefined) throw new PageError(`${node} gives chats without a position`)
    return { ...chat, position }
  })
  return {
    chats,
    hasMore: side === 'latest' ? (body.hasOlder ?? body.hasMore) : body.hasMore,
    complete: body.complete,
  }
}

interface WirePagedChat extends Omit<PagedChat, 'position'> {
  readonly position?: string
}

async function get(
  url: string,
  token: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: response.status, text: await response.text() }
  } catch (cause) {
    throw new PageError(`${new URL(url).origin} cannot be reached`, undefined, { cause })
  }
}
