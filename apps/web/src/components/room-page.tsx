import { useSignal } from '@preact/signals'
import type { RoomView } from '../room-view.ts'
import { linkTo } from '../route.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { ChatList } from './chat-list.tsx'
import { Composer } from './composer.tsx'
import { ErrorText } from './error-text.tsx'
import { People } from './people.tsx'

interface RoomPageProps {
  readonly view: RoomView
  readonly name: string
  readonly session: Session
}

export function RoomPage({ view, name, session }: RoomPageProps) {
  const t = text.value
  const isDropping = useSignal(false)
  const ended = view.ended.value
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    isDropping.value = false
    for (const file of event.dataTransfer?.files ?? []) view.sendFile(file)
  }
  const over = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes('Files') !== true) return
    event.preventDefault()
    isDropping.value = true
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the attach button does the same for who does not drag
    <div
      class="room"
      onDragOver={over}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) isDropping.value = false
      }}
      onDrop={drop}
    >
      <header>
        <button type="button" class="menu-button" popovertarget="menu" aria-label={t.menu}>
          ☰
        </button>
        <h1>{name}</h1>
        <People view={view} ownId={session.userId} />
      </header>
      {ended === undefined ? (
        <>
          <ChatList view={view} ownId={session.userId} />
          <Composer view={view} name={name} />
        </>
      ) : (
        <div class="ended" role="alert">
          <ErrorText error={ended} hint={ended.code === 'CHAT-004' ? t.forbidden : undefined} />
          <a href={linkTo(0)}>{t.back}</a>
        </div>
      )}
      {isDropping.value && ended === undefined ? <div class="drop-here">{t.dropHere}</div> : null}
    </div>
  )
}
