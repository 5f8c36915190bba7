import { useSignal } from '@preact/signals'
import type { FileFacts } from '@sgs-chat/client'
import { useEffect, useRef } from 'preact/hooks'
import { saveFile, sizeOf } from '../attachment.ts'
import { report } from '../problems.ts'
import { session } from '../session.ts'
import { text } from '../text.ts'
import { Icon } from './icon.tsx'

/** A file by name and size, which are asked for when it comes into sight. */
export function FileCard({ url }: { readonly url: string }) {
  const card = useRef<HTMLAnchorElement>(null)
  const facts = useSignal<FileFacts | undefined>(undefined)
  useEffect(() => {
    if (card.current === null) return
    const watch = new IntersectionObserver(entries => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      watch.disconnect()
      session
        .peek()
        ?.describeFile(url)
        .then(
          read => {
            facts.value = read
          },
          // The card stands for the file without them.
          () => undefined,
        )
    })
    watch.observe(card.current)
    return () => watch.disconnect()
  }, [url, facts])
  const save = (event: MouseEvent): void => {
    event.preventDefault()
    const current = session.peek()
    if (current !== undefined) saveFile(url, link => current.readFile(link)).catch(report)
  }
  const t = text.value
  const { name = t.file, bytes } = facts.value ?? {}
  return (
    <a class="file-card" href={url} download onClick={save} ref={card}>
      <span class="file-icon">
        <Icon name="file" />
      </span>
      <span class="file-name">{name}</span>
      <small>{bytes === undefined ? t.unknownSize : sizeOf(bytes)}</small>
      <span class="file-action">
        <Icon name="download" />
      </span>
    </a>
  )
}
