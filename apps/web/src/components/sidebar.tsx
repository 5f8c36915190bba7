import type { RefObject } from 'preact'
import { recentRooms, userName } from '../preferences.ts'
import { linkTo } from '../route.ts'
import { type Session, signOut } from '../session.ts'
import { text } from '../text.ts'
import { Avatar } from './avatar.tsx'
import { Icon } from './icon.tsx'
import { Preferences } from './preferences.tsx'
import { fieldOf } from './sign-in.tsx'

interface SidebarProps {
  readonly session: Session
  readonly roomId: number
  readonly menu: RefObject<HTMLElement | null>
}

export function Sidebar({ session, roomId, menu }: SidebarProps) {
  const t = text.value
  const go = (event: SubmitEvent): void => {
    event.preventDefault()
    location.hash = linkTo(Number(fieldOf(event, 'room')))
    ;(event.currentTarget as HTMLFormElement).reset()
  }
  const name = session.userId.value || userName.value
  return (
    <aside class="sidebar" id="menu" popover="auto" ref={menu} aria-label={t.menu}>
      <p class="brand">
        <img src="/web/icon.svg" alt="" width="32" height="32" /> {t.title}
      </p>
      <nav aria-label={t.rooms}>
        <h2>{t.rooms}</h2>
        <ul>
          <RoomLink roomId={0} name={t.lobby} isCurrent={roomId === 0} />
          {recentRooms.value.map(id => (
            <RoomLink key={id} roomId={id} name={t.room(id)} isCurrent={id === roomId} />
          ))}
        </ul>
      </nav>
      <form class="go" onSubmit={go}>
        <input
          name="room"
          inputMode="numeric"
          pattern="0|[1-9][0-9]{0,15}"
          required
          aria-label={t.roomNumber}
          placeholder={t.roomNumber}
          autocomplete="off"
        />
        <button type="submit">{t.go}</button>
      </form>
      <div class="own">
        <Avatar name={name} />
        <strong>{name}</strong>
        <button type="button" class="quiet icon" aria-label={t.signOut} title={t.signOut} onClick={signOut}>
          <Icon name="sign-out" />
        </button>
      </div>
      <Preferences />
    </aside>
  )
}

interface RoomLinkProps {
  readonly roomId: number
  readonly name: string
  readonly isCurrent: boolean
}

function RoomLink({ roomId, name, isCurrent }: RoomLinkProps) {
  return (
    <li>
      <a href={linkTo(roomId)} aria-current={isCurrent ? 'page' : undefined}>
        <Icon name={roomId === 0 ? 'lobby' : 'room'} />
        <span class="name">{name}</span>
      </a>
    </li>
  )
}
