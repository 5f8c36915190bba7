import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { Icon } from './icon.tsx'
import { fieldOf } from './sign-in.tsx'

/** Asks who signed in with a token for a fresh one: before it ends, and when it has. */
export function TokenWishForm({ session }: { readonly session: Session }) {
  const wish = session.tokenWish.value
  if (wish === undefined) return null
  const t = text.value
  const give = (event: SubmitEvent): void => {
    event.preventDefault()
    session.giveToken(fieldOf(event, 'token'))
  }
  return (
    <form class="banner token-wish" onSubmit={give}>
      <Icon name="key" />
      <p role="status">{wish === 'expiring' ? t.tokenEnds : t.tokenOver}</p>
      <input
        name="token"
        type="password"
        required
        autocomplete="off"
        aria-label={t.token}
        placeholder={t.token}
      />
      <button type="submit" class="primary">
        {t.goOn}
      </button>
    </form>
  )
}
