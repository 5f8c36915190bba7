import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { session } from '../session.ts'
import { text } from '../text.ts'
import { FileCard } from './file-card.tsx'
import { Icon } from './icon.tsx'

/** The longest side of what a server that makes small pictures sends; another one sends the whole. */
const THUMBNAIL_PIXELS = 640

/** A picture, small; large in a dialog. */
export function Picture({ url, sender }: { readonly url: string; readonly sender: string }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const isOpen = useSignal(false)
  /** Read with the token, where the link alone does not open it. */
  const own = useSignal<string | undefined>(undefined)
  const isBroken = useSignal(false)
  useEffect(
    () => () => {
      if (own.peek() !== undefined) URL.revokeObjectURL(own.peek() ?? '')
    },
    [own],
  )
  const readOwn = (): void => {
    const current = session.peek()
    if (own.peek() !== undefined || current === undefined) isBroken.value = true
    else {
      current.readFile(url).then(
        ({ content }) => {
          own.value = URL.createObjectURL(content)
        },
        () => {
          isBroken.value = true
        },
      )
    }
  }
  const t = text.value
  if (isBroken.value) return <FileCard url={url} />
  const open = (): void => {
    isOpen.value = true
    dialog.current?.showModal()
  }
  return (
    <>
      <button type="button" class="thumbnail" onClick={open} aria-label={`${t.open}: ${t.picture(sender)}`}>
        <img
          src={own.value ?? `${url}&size=${THUMBNAIL_PIXELS}`}
          alt={t.picture(sender)}
          loading="lazy"
          decoding="async"
          onError={readOwn}
        />
      </button>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself */}
      <dialog
        class="lightbox"
        ref={dialog}
        aria-label={t.picture(sender)}
        onClose={() => {
          isOpen.value = false
        }}
        onClick={({ target, currentTarget }) => {
          if (target === currentTarget) currentTarget.close()
        }}
      >
        <header>
          <p>{t.picture(sender)}</p>
          <a class="icon" href={own.value ?? url} download aria-label={t.download} title={t.download}>
            <Icon name="download" />
          </a>
          <button
            type="button"
            class="icon"
            aria-label={t.close}
            title={t.close}
            autofocus
            onClick={() => dialog.current?.close()}
          >
            <Icon name="close" />
          </button>
        </header>
        {isOpen.value ? <img src={own.value ?? url} alt={t.picture(sender)} /> : null}
      </dialog>
    </>
  )
}
