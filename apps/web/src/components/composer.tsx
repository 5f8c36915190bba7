import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { RoomView } from '../room-view.ts'
import { text } from '../text.ts'
import { Icon } from './icon.tsx'

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
      <div class="message">
        <button
          type="button"
          class="quiet icon"
          aria-label={t.attach}
          title={t.attach}
          onClick={() => files.current?.click()}
        >
          <Icon name="attach" />
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
        <button
          type="submit"
          class="primary icon"
          aria-label={t.send}
          title={t.send}
          disabled={draft.value.trim() === ''}
        >
          <Icon name="send" />
        </button>
      </div>
    </form>
  )
}
