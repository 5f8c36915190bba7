import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { RoomView } from '../room-view.ts'
import { text } from '../text.ts'

/** As the server's default; the client says the rest. */
const MAX_CHARACTERS = 10_000

export function Composer({ view, name }: { readonly view: RoomView; readonly name: string }) {
  const draft = useSignal('')
  const files = useRef<HTMLInputElement>(null)
  const box = useRef<HTMLTextAreaElement>(null)
  // On a phone this would bring up the keyboard over what is to be read.
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) box.current?.focus()
  }, [])
  const t = text.value
  const send = (): void => {
    const words = draft.value.trim()
    if (words === '') return
    draft.value = ''
    view.send(words)
  }
  const pressed = (event: KeyboardEvent): void => {
    // While Korean is being composed, Enter ends the syllable and not the message.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    send()
  }
  const pasted = (event: ClipboardEvent): void => {
    const pictures = [...(event.clipboardData?.files ?? [])]
    if (pictures.length === 0) return
    event.preventDefault()
    for (const file of pictures) view.sendFile(file)
  }
  const chosen = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void => {
    for (const file of currentTarget.files ?? []) view.sendFile(file)
    currentTarget.value = ''
  }
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault()
        send()
      }}
    >
      <input ref={files} type="file" multiple hidden onChange={chosen} aria-label={t.attach} />
      <button
        type="button"
        class="quiet icon"
        aria-label={t.attach}
        title={t.attach}
        onClick={() => files.current?.click()}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M20 11.500 11.800 19.700a5 5 0 0 1-7.100-7.100l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400l7.800-7.800" />
        </svg>
      </button>
      <textarea
        ref={box}
        rows={1}
        maxLength={MAX_CHARACTERS}
        aria-label={t.messageTo(name)}
        placeholder={t.messageTo(name)}
        value={draft.value}
        onInput={({ currentTarget }) => {
          draft.value = currentTarget.value
        }}
        onKeyDown={pressed}
        onPaste={pasted}
      />
      <button type="submit" class="primary" disabled={draft.value.trim() === ''}>
        {t.send}
      </button>
    </form>
  )
}
