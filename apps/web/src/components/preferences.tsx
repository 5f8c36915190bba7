import { language, nextTheme, theme } from '../preferences.ts'
import { text } from '../text.ts'

export function Preferences() {
  const t = text.value
  const other = language.value === 'ko' ? 'en' : 'ko'
  return (
    <div class="preferences">
      <button
        type="button"
        class="quiet"
        lang={other}
        onClick={() => {
          language.value = other
        }}
      >
        {t.language}
      </button>
      <button type="button" class="quiet" onClick={nextTheme}>
        {t.theme[theme.value]}
      </button>
    </div>
  )
}
