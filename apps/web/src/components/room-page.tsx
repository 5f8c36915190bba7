import { useSignal } from '@preact/signals'
import type { RoomView } from '../room-view.ts'
import { linkTo } from '../route.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { ChatList } from './chat-list.tsx'
import { Composer } from './composer.tsx'
import { ErrorText } from './error-text.tsx'
import { Icon } from './icon.tsx'
import { Notice } from './notice.tsx'
import { People, PeopleNote } from './people.tsx'

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
        <button type="button" class="quiet icon menu-button" popovertarget="menu" aria-label={t.menu}>
          <Icon name="menu" />
        </button>
        <div class="titles">
          <h1>{name}</h1>
          <PeopleNote view={view} ownId={session.userId} />
        </div>
        <People view={view} ownId={session.userId} />
      </header>
      {ended === undefined ? (
        <>
          <ChatList view={view} ownId={session.userId} />
          <Composer view={view} name={name} />
        </>
      ) : (
        <Notice icon={ended.code === 'CHAT-004' ? 'lock' : 'alert'} isAlert>
          {ended.code === 'CHAT-004' ? (
            <>
              <h2>{t.forbidden}</h2>
              <p>{t.forbiddenHint}</p>
            </>
          ) : null}
          <a class="button primary" href={linkTo(0)}>
            {t.back}
          </a>
          <ErrorText error={ended} hint={ended.code === 'CHAT-004' ? '' : undefined} />
        </Notice>
      )}
      {isDropping.value && ended === undefined ? (
        <div class="drop-here">
          <Icon name="attach" />
          {t.dropHere}
        </div>
      ) : null}
    </div>
  )
}
