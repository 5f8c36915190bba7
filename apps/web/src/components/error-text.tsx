import type { ClientError } from '@sgs-chat/client'
import { text } from '../text.ts'

interface ErrorTextProps {
  readonly error: ClientError
  /** Says it better here than the words for its code; empty: something above says it. */
  readonly hint?: string | undefined
}

/** A failure in words for people, with the server's own for who wants to know. */
export function ErrorText({ error, hint }: ErrorTextProps) {
  const t = text.value
  return (
    <div class="error-text">
      {hint === '' ? null : <p>{hint ?? t.errors[error.code] ?? t.failure}</p>}
      <details>
        <summary>{t.details}</summary>
        <code>
          {error.code}: {error.description}
        </code>
      </details>
    </div>
  )
}
