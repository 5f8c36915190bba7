import { sizeOf } from '../attachment.ts'
import type { PendingItem } from '../pending.ts'
import type { RoomView } from '../room-view.ts'
import { session } from '../session.ts'
import { text } from '../text.ts'
import { ErrorText } from './error-text.tsx'
import { FileIcon } from './file-card.tsx'
import { Linked } from './linked.tsx'

/** Something of ours on its way, or what became of it. */
export function PendingRow({ item, view }: { readonly item: PendingItem; readonly view: RoomView }) {
  const t = text.value
  const { content, state } = item
  const isOnline = session.value?.connection.value.phase === 'connected'
  return (
    <li class={`chat own ${state.phase}`}>
      <div class="said">
        {content.kind === 'text' ? (
          <p class="bubble">
            <Linked words={content.text} />
          </p>
        ) : (
          <Upload content={content} />
        )}
        {state.phase === 'failed' ? (
          <div class="failure" role="alert">
            <strong>{t.failed}</strong>
            <ErrorText error={state.error} />
            {state.error.retryable || state.error.outcome === 'unknown' ? (
              <button type="button" onClick={() => view.again(item)}>
                {t.again}
              </button>
            ) : null}
            <button type="button" class="quiet" onClick={() => view.remove(item)}>
              {t.remove}
            </button>
          </div>
        ) : (
          <small class="under-way">
            {state.phase === 'sending' && !isOnline && content.kind === 'text' ? t.waiting : t.sending}
            {state.phase === 'sending' && content.kind === 'file' ? (
              <button type="button" class="quiet" onClick={() => view.remove(item)}>
                {t.cancel}
              </button>
            ) : null}
          </small>
        )}
      </div>
    </li>
  )
}

function Upload({ content }: { readonly content: Extract<PendingItem['content'], { kind: 'file' }> }) {
  const { file, preview, sentBytes } = content
  const label = text.value.uploading(file.name)
  return (
    <div class="file-card">
      {preview === undefined ? <FileIcon /> : <img src={preview} alt="" />}
      <span class="file-name">{file.name}</span>
      <small>{sizeOf(file.size)}</small>
      <progress aria-label={label} max={file.size} value={Math.min(sentBytes, file.size)} />
    </div>
  )
}
