import { sizeOf } from '../attachment.ts'
import type { PendingItem } from '../pending.ts'
import type { RoomView } from '../room-view.ts'
import { session } from '../session.ts'
import { text } from '../text.ts'
import { ErrorText } from './error-text.tsx'
import { Icon } from './icon.tsx'
import { Linked } from './linked.tsx'

/** Something of ours on its way, or what became of it. */
export function PendingRow({ item, view }: { readonly item: PendingItem; readonly view: RoomView }) {
  const { content, state } = item
  const cancel = state.phase === 'sending' ? (): void => view.remove(item) : undefined
  return (
    <li class={`chat own ${state.phase}`}>
      <div class="said">
        {content.kind === 'text' ? (
          <p class="bubble">
            <Linked words={content.text} />
          </p>
        ) : (
          <Upload content={content} onCancel={cancel} />
        )}
        {state.phase === 'failed' ? (
          <Failure item={item} error={state.error} view={view} />
        ) : (
          <UnderWay item={item} />
        )}
      </div>
    </li>
  )
}

function UnderWay({ item: { content, state } }: { readonly item: PendingItem }) {
  const t = text.value
  const isOnline = session.value?.connection.value.phase === 'connected'
  const isWaiting = state.phase === 'sending' && !isOnline && content.kind === 'text'
  return <small class="under-way">{isWaiting ? t.waiting : t.sending}</small>
}

interface FailureProps {
  readonly item: PendingItem
  readonly error: Extract<PendingItem['state'], { phase: 'failed' }>['error']
  readonly view: RoomView
}

function Failure({ item, error, view }: FailureProps) {
  const t = text.value
  return (
    <div class="failure" role="alert">
      <strong>
        <Icon name="alert" />
        {t.failed}
      </strong>
      <ErrorText error={error} />
      <span class="actions">
        {error.retryable || error.outcome === 'unknown' ? (
          <button type="button" onClick={() => view.again(item)}>
            {t.again}
          </button>
        ) : null}
        <button type="button" onClick={() => view.remove(item)}>
          {t.remove}
        </button>
      </span>
    </div>
  )
}

interface UploadProps {
  readonly content: Extract<PendingItem['content'], { kind: 'file' }>
  /** Left out: it is past that. */
  readonly onCancel: (() => void) | undefined
}

function Upload({ content: { file, preview, sentBytes }, onCancel }: UploadProps) {
  const t = text.value
  // What the form adds around the file is sent, too.
  const sent = Math.min(sentBytes, file.size)
  return (
    <div class="file-card">
      {preview === undefined ? (
        <span class="file-icon">
          <Icon name="file" />
        </span>
      ) : (
        <img src={preview} alt="" />
      )}
      <span class="file-name">{file.name}</span>
      <small>{onCancel === undefined ? sizeOf(file.size) : t.sentOf(sizeOf(sent), sizeOf(file.size))}</small>
      {onCancel === undefined ? null : (
        <>
          <button
            type="button"
            class="quiet icon file-action"
            aria-label={t.cancel}
            title={t.cancel}
            onClick={onCancel}
          >
            <Icon name="close" />
          </button>
          <progress aria-label={t.uploading(file.name)} max={file.size} value={sent} />
        </>
      )}
    </div>
  )
}
