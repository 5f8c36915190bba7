import { useSignal } from '@preact/signals'
import type { ClientError } from '@sgs-chat/client'
import { userName } from '../preferences.ts'
import { type Credentials, signIn } from '../session.ts'
import { text } from '../text.ts'
import { ErrorText } from './error-text.tsx'
import { Icon } from './icon.tsx'
import { Preferences } from './preferences.tsx'

export function SignIn() {
  const error = useSignal<{ readonly error: ClientError; readonly hint: string | undefined } | undefined>(
    undefined,
  )
  const isBusy = useSignal(false)
  const enter = async (credentials: Credentials): Promise<void> => {
    isBusy.value = true
    error.value = undefined
    try {
      await signIn(credentials)
    } catch (cause) {
      error.value = { error: cause as ClientError, hint: hintOf(cause as ClientError, credentials) }
      isBusy.value = false
    }
  }
  const byName = (event: SubmitEvent): void => {
    event.preventDefault()
    void enter({ kind: 'name', name: userName.value.trim() })
  }
  const byToken = (event: SubmitEvent): void => {
    event.preventDefault()
    void enter({ kind: 'token', token: fieldOf(event, 'token') })
  }
  const t = text.value
  return (
    <main class="sign-in">
      <header>
        <img src="/web/icon.svg" alt="" width="64" height="64" />
        <h1>{t.title}</h1>
        <p>{t.intro}</p>
      </header>
      <div class="card">
        <form onSubmit={byName}>
          <label>
            {t.yourName}
            <input
              name="name"
              value={userName.value}
              onInput={({ currentTarget }) => {
                userName.value = currentTarget.value
              }}
              required
              pattern=".*\S.*"
              maxLength={64}
              autocomplete="username"
            />
          </label>
          <button type="submit" class="primary" disabled={isBusy.value}>
            {isBusy.value ? t.entering : t.enter}
          </button>
        </form>
        <details>
          <summary>
            <Icon name="key" />
            {t.haveToken}
          </summary>
          <form onSubmit={byToken}>
            <label>
              {t.token}
              <input name="token" type="password" required autocomplete="off" aria-describedby="token-hint" />
            </label>
            <small id="token-hint">{t.tokenHint}</small>
            <button type="submit" disabled={isBusy.value}>
              {t.enter}
            </button>
          </form>
        </details>
        <div role="alert">{error.value === undefined ? null : <ErrorText {...error.value} />}</div>
      </div>
      <Preferences />
    </main>
  )
}

/** What a lack of tokens means here: the client itself only knows that there is none. */
function hintOf({ code, retryable }: ClientError, { kind }: Credentials): string | undefined {
  if (code !== 'TOKEN_UNAVAILABLE' || retryable) return undefined
  return kind === 'name' ? text.value.noDevTokens : text.value.errors['CHAT-032']
}

export function fieldOf(event: SubmitEvent, name: string): string {
  const form = event.currentTarget as HTMLFormElement
  const value = new FormData(form).get(name)
  return typeof value === 'string' ? value.trim() : ''
}
