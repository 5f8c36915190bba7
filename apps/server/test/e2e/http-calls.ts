/** A chat as the default shapes of the wire have it. */
export interface WireChat {
  readonly _id: string
  readonly roomId: number
  readonly senderId: string
  readonly messageType: string
  readonly content: string
  readonly createdAt: string
  readonly position?: string
}

interface Answer<T> {
  readonly status: number
  readonly body: {
    readonly result: string
    readonly message: string
    readonly data: T
    readonly code?: string
  }
}

export async function postChat(url: string, token: string, body: object): Promise<Answer<WireChat>> {
  const response = await fetch(`${url}/chat/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Answer<WireChat>['body'] }
}

export async function getHistory(url: string, token: string, query: string): Promise<Answer<WireChat[]>> {
  const response = await fetch(`${url}/chat/history${query}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: response.status, body: (await response.json()) as Answer<WireChat[]>['body'] }
}

/** Every chat of a room by its pages, oldest first. */
export async function allByPages(url: string, token: string, roomId: number, size = 50): Promise<WireChat[]> {
  const chats: WireChat[] = []
  for (let page = 1; ; page++) {
    const { body } = await getHistory(url, token, `?roomId=${roomId}&page=${page}&size=${size}`)
    chats.push(...body.data)
    if (body.data.length < size) return chats.reverse()
  }
}
