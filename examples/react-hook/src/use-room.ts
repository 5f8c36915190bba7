import {
  type Chat,
  type ChatClient,
  type ClientError,
  comparePositions,
  type Gap,
  type Room,
  type Sent,
} from '@sgs-chat/client'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

export interface RoomView {
  /** Oldest first; `id` is the key. */
  readonly chats: readonly Chat[]
  /** Why the room is not received any more. */
  readonly error: ClientError | undefined
  readonly hasOlder: boolean
  readonly send: (content: string) => Promise<Sent>
  readonly readOlder: () => Promise<void>
}

/** More than a person scrolls through; older ones are read again. */
const MAX_CHATS = 2_000

/** One room of a client that is connected elsewhere: its newest chats, what comes, and the way back. */
export function useRoom(client: ChatClient, roomId: number): RoomView {
  const room = useMemo(() => client.room(roomId), [client, roomId])
  const [chats, setChats] = useState<readonly Chat[]>([])
  const [error, setError] = useState<ClientError>()
  const [hasOlder, setHasOlder] = useState(false)
  const oldest = useRef<string>(undefined)

  const show = useCallback((more: readonly Chat[]) => {
    setChats(shown => {
      // What comes live meets what was read: a chat is one by its id, and its place is its position.
      const known = new Set(shown.map(({ id }) => id))
      const all = [...shown, ...more.filter(({ id }) => !known.has(id))]
      return all.sort((a, b) => comparePositions(a.position, b.position)).slice(-MAX_CHATS)
    })
  }, [])

  const readOlder = useCallback(async () => {
    const page = await room.history(oldest.current === undefined ? {} : { before: oldest.current })
    oldest.current = page.chats.at(-1)?.position ?? oldest.current
    setHasOlder(page.hasOlder)
    show(page.chats)
  }, [room, show])

  useEffect(() => {
    const stop = follow(room, show, setError)
    readOlder().catch(setError)
    return () => {
      stop()
      setChats([])
      setError(undefined)
      oldest.current = undefined
    }
  }, [room, show, readOlder])

  const send = useCallback((content: string) => room.send(content), [room])
  return { chats, error, hasOlder, send, readOlder }
}

function follow(
  room: Room,
  show: (chats: readonly Chat[]) => void,
  fail: (error: ClientError) => void,
): () => void {
  const stops = [
    room.on('chat', chat => show([chat])),
    room.on('gap', gap => {
      fillIn(room, gap, show).catch(fail)
    }),
    room.on('ended', fail),
  ]
  // `ended` tells of a refusal.
  room.join().catch(() => undefined)
  return () => {
    for (const stop of stops) stop()
    room.leave()
  }
}

async function fillIn(room: Room, gap: Gap, show: (chats: readonly Chat[]) => void): Promise<void> {
  for await (const chat of room.fill(gap)) show([chat])
}
