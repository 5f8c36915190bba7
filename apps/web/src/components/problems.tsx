import { dismiss, problems } from '../problems.ts'
import { text } from '../text.ts'
import { ErrorText } from './error-text.tsx'
import { Icon } from './icon.tsx'

export function Problems() {
  return (
    <div class="problems" role="alert">
      {problems.value.map(({ id, error }) => (
        <div class="problem" key={id}>
          <Icon name="alert" />
          <ErrorText error={error} />
          <button
            type="button"
            class="quiet icon"
            aria-label={text.value.close}
            title={text.value.close}
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  )
}
