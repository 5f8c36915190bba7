import { type ReadonlySignal, useSignal } from '@preact/signals'
import type { Chat } from '@sgs-chat/client'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { type DayOfChats, daysOf } from '../days.ts'
import { language } from '../preferences.ts'
import { report } from '../problems.ts'
import type { RoomView } from '../room-view.ts'
import { text } from '../text.ts'
import { Icon } from './icon.tsx'
import { Notice } from './notice.tsx'
import { PendingRow } from './pending-row.tsx'
import { chatStretch } from './stretch.tsx'

interface ChatListProps {
  readonly view: RoomView
  readonly ownId: ReadonlySignal<string>
}

/** How far from the newest chat still counts as reading along, in pixels. */
const NEAR_END = 80
/** Older chats are read when the beginning is so near, in pixels. */
const NEAR_BEGINNING = 600

/** The chats of a room, oldest first. What is out of sight is neither laid out nor painted (`content-visibility`). */
export function ChatList({ view, ownId }: ChatListProps) {
  const scroller = useRef<HTMLElement>(null)
  const isAtEnd = useSignal(true)
  const unseen = useSignal(0)
  const shown = useRef<{ first: string | undefined; last: string | undefined; fromEnd: number }>(undefined)
  const chats = view.chats.value
  const pending = view.pending.value
  const past = view.past.value
  const t = text.value
  const anchor = useRef<string>(undefined)
  const days = useMemo(() => {
    let place = chats.findIndex(({ id }) => id === anchor.current)
    if (place < 0) {
      place = 0
      anchor.current = chats[0]?.id
    }
    return daysOf(chats, place)
  }, [chats, language.value])

  const readOlder = (): void => {
    view.readOlder().catch(report)
  }
  const toEnd = (): void => {
    const box = scroller.current
    if (box !== null) box.scrollTop = box.scrollHeight
  }
  const scrolled = (): void => {
    const box = scroller.current
    if (box === null) return
    isAtEnd.value = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END
    if (isAtEnd.value) unseen.value = 0
    if (shown.current !== undefined) shown.current.fromEnd = box.scrollHeight - box.scrollTop
    if (box.scrollTop < NEAR_BEGINNING && view.past.value === 'more') readOlder()
  }

  // Older chats that come in above do not move what is being read; newer ones keep the end in sight for who was there.
  useLayoutEffect(() => {
    const box = scroller.current
    if (box === null) return
    const before = shown.current
    const [first, last] = [chats[0]?.id, chats.at(-1)?.id]
    if (before === undefined || isAtEnd.value) toEnd()
    else if (first !== before.first && last === before.last) box.scrollTop = box.scrollHeight - before.fromEnd
    else if (last !== before.last) {
      const place = chats.findLastIndex(({ id }) => id === before.last)
      unseen.value += place < 0 ? 0 : chats.length - 1 - place
    }
    shown.current = { first, last, fromEnd: box.scrollHeight - box.scrollTop }
    if (isAtEnd.value) view.trim()
  }, [chats, pending, view, isAtEnd, unseen])

  // Who has scrolled to the beginning while older chats were read gets no further event of it.
  useEffect(() => {
    if (past === 'more') scrolled()
  }, [past])

  // Pictures and fonts that come late, and a window that changes, must not push the newest out of sight.
  useEffect(() => {
    const box = scroller.current
    const inner = box?.firstElementChild
    if (box == null || inner == null) return
    const watch = new ResizeObserver(() => {
      if (isAtEnd.value) toEnd()
    })
    watch.observe(box)
    watch.observe(inner)
    return () => watch.disconnect()
  }, [isAtEnd])

  return (
    <div class="chats">
      <section
        class="scroller"
        ref={scroller}
        onScroll={scrolled}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={t.chats}
      >
        <div class="inner">
          <Beginning past={past} isEmpty={chats.length + pending.length === 0} onMore={readOlder} />
          {days.map(day => (
            <Day key={day.key} day={day} ownId={ownId.value} />
          ))}
          <ol class="pending">
            {pending.map(item => (
              <PendingRow key={item.name} item={item} view={view} />
            ))}
          </ol>
        </div>
      </section>
      {isAtEnd.value ? null : (
        <button type="button" class="to-end" onClick={toEnd}>
          {unseen.value > 0 ? t.newChats(unseen.value) : t.toNewest}
          <Icon name="down" />
        </button>
      )}
      <Heard chat={view.lastHeard.value} />
    </div>
  )
}

interface BeginningProps {
  readonly past: RoomView['past']['value']
  readonly isEmpty: boolean
  readonly onMore: () => void
}

function Beginning({ past, isEmpty, onMore }: BeginningProps) {
  const t = text.value
  switch (past) {
    case 'unread':
    case 'reading':
      return (
        <p class="beginning">
          <span class="spinner" />
          {t.loading}
        </p>
      )
    case 'more':
      return (
        <p class="beginning">
          <button type="button" class="quiet" onClick={onMore}>
            {t.loadOlder}
          </button>
        </p>
      )
    case 'all':
      return isEmpty ? (
        <Notice icon="chats">
          <h2>{t.noChats}</h2>
          <p>{t.noChatsHint}</p>
        </Notice>
      ) : (
        <p class="beginning">{t.beginning}</p>
      )
  }
}

function Day({ day, ownId }: { readonly day: DayOfChats; readonly ownId: string }) {
  return (
    <section aria-label={day.name}>
      <h2 class="day">
        <time dateTime={day.key}>{day.name}</time>
      </h2>
      {day.stretches.map(rows => chatStretch(rows, ownId))}
    </section>
  )
}

/** What others say, for who hears the page: the list itself would be read out whenever older chats come. */
function Heard({ chat }: { readonly chat: Chat | undefined }) {
  const words = chat === undefined ? '' : chat.messageType === 'TEXT' ? chat.content : text.value.file
  return (
    <p class="visually-hidden" aria-live="polite">
      {chat === undefined ? '' : text.value.from(chat.senderId, words)}
    </p>
  )
}
