import { type ReadonlySignal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { RoomView } from '../room-view.ts'
import { text } from '../text.ts'
import { Avatar } from './avatar.tsx'

const MAX_FACES = 4
const NOTE_MS = 4_000

interface PeopleProps {
  readonly view: RoomView
  readonly ownId: ReadonlySignal<string>
}

/** How many are in the room; for a moment, who has come or gone. */
export function PeopleNote({ view, ownId }: PeopleProps) {
  const people = view.people.value
  const note = useSignal('')
  useEffect(() => {
    if (people === undefined) return
    const t = text.value
    const others = (names: readonly string[]): readonly string[] => names.filter(name => name !== ownId.value)
    const joined = others(people.joined)
    const left = others(people.left)
    const words = [
      ...(joined.length > 0 ? [t.joined(joined.join(', '))] : []),
      ...(left.length > 0 ? [t.left(left.join(', '))] : []),
    ]
    if (words.length === 0) return
    note.value = words.join(' · ')
    const timer = setTimeout(() => {
      note.value = ''
    }, NOTE_MS)
    return () => clearTimeout(timer)
  }, [people, note, ownId])
  const count = people === undefined ? '' : text.value.peopleCount(people.count)
  return (
    <p class="note" role="status">
      {note.value || count}
    </p>
  )
}

/** Who is in the room: some faces, all names. */
export function People({ view, ownId }: PeopleProps) {
  const people = view.people.value
  const t = text.value
  if (people === undefined) return null
  return (
    <div class="people">
      <button type="button" class="quiet faces" popovertarget="people-list">
        {people.users.slice(0, MAX_FACES).map(name => (
          <Avatar key={name} name={name} />
        ))}
        <span class="visually-hidden">{t.peopleCount(people.count)}</span>
        <span class="count" aria-hidden="true">
          {people.count}
        </span>
      </button>
      <section class="people-list" id="people-list" popover="auto" role="dialog" aria-label={t.people}>
        <h2>{t.peopleCount(people.count)}</h2>
        <ul>
          {people.users.map(name => (
            <li key={name}>
              <Avatar name={name} />
              <span class="name">{name}</span>
              {name === ownId.value ? <small>{t.you}</small> : null}
            </li>
          ))}
        </ul>
      </section>
    </div>
  )
}
