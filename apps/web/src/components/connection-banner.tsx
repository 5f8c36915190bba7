import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { ErrorText } from './error-text.tsx'
import { Icon } from './icon.tsx'

const TICK_MS = 500

/** Says when there is no connection, and what becomes of what is written meanwhile. */
export function ConnectionBanner({ session }: { readonly session: Session }) {
  const state = session.connection.value
  const now = useSignal(Date.now())
  useEffect(() => {
    if (state.phase !== 'waiting') return
    now.value = Date.now()
    const timer = setInterval(() => {
      now.value = Date.now()
    }, TICK_MS)
    return () => clearInterval(timer)
  }, [state, now])
  const tryNow = (): void => {
    session.connect().catch(() => undefined)
  }
  const t = text.value
  switch (state.phase) {
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((state.retryAtMs - now.value) / 1_000))
      return (
        <div class="banner">
          {/* What counts down is not read out every second. */}
          <span class="visually-hidden" role="status">
            {t.errors.CONNECTION_LOST}
          </span>
          <Icon name="offline" />
          <span>{t.lost(seconds)}</span>
          <button type="button" onClick={tryNow}>
            {t.now}
          </button>
        </div>
      )
    }
    case 'refused':
      if (session.tokenWish.value !== undefined) return null
      return (
        <div class="banner" role="alert">
          <Icon name="alert" />
          <ErrorText error={state.error} hint={t.refused} />
          <button type="button" onClick={tryNow}>
            {t.now}
          </button>
        </div>
      )
    case 'connecting':
      return (
        <div class="banner" role="status">
          <span class="spinner" />
          <span>{t.connecting}</span>
        </div>
      )
    case 'idle':
    case 'connected':
    case 'closed':
      return null
  }
}
