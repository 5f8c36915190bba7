import { useComputed } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { ConnectionBanner } from './components/connection-banner.tsx'
import { Problems } from './components/problems.tsx'
import { RoomPage } from './components/room-page.tsx'
import { Sidebar } from './components/sidebar.tsx'
import { SignIn } from './components/sign-in.tsx'
import { TokenWishForm } from './components/token-wish.tsx'
import { rememberRoom } from './preferences.ts'
import { currentRoom } from './route.ts'
import { type Session, session } from './session.ts'
import { text } from './text.ts'

export function App() {
  const { value } = session
  return (
    <>
      {value === undefined ? <SignIn /> : <Rooms session={value} />}
      <Problems />
    </>
  )
}

/** Everything once somebody is in: the rooms on the one side, one of them beside it. */
function Rooms({ session }: { readonly session: Session }) {
  const roomId = currentRoom.value
  const view = useMemo(() => session.room(roomId), [session, roomId])
  const menu = useRef<HTMLElement | null>(null)
  const name = useComputed(() =>
    currentRoom.value === 0 ? text.value.lobby : text.value.room(currentRoom.value),
  )
  useEffect(() => {
    rememberRoom(roomId)
    view.open()
    menu.current?.hidePopover?.()
    return () => view.close()
  }, [view, roomId])
  useEffect(() => {
    document.title = `${name.value} · ${text.value.title}`
  }, [name.value, text.value])
  return (
    <div class="shell">
      <Sidebar session={session} roomId={roomId} menu={menu} />
      <main>
        <ConnectionBanner session={session} />
        <TokenWishForm session={session} />
        <RoomPage key={roomId} view={view} name={name.value} session={session} />
      </main>
    </div>
  )
}
