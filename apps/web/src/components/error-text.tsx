import type { ClientError } from '@sgs-chat/client'
import { text } from '../text.ts'

/** A failure in words for people, with the server's own for who wants to know. */
export function ErrorText({
  error,
  hint,
}: {
  readonly error: ClientError
  readonly hint?: string | undefined
}) {
  const t = text.value
  return (
    <div class="error-text">
      <p>{hint ?? t.errors[error.code] ?? t.failure}</p>
      <details>
        <summary>{t.details}</summary>
        <code>
          {error.code}: {error.description}
        </code>
      </details>
    </div>
  )
}
