import { dismiss, problems } from '../problems.ts'
import { text } from '../text.ts'
import { ErrorText } from './error-text.tsx'

export function Problems() {
  return (
    <div class="problems" role="alert">
      {problems.value.map(({ id, error }) => (
        <div class="problem" key={id}>
          <ErrorText error={error} />
          <button type="button" class="quiet" onClick={() => dismiss(id)}>
            {text.value.close}
          </button>
        </div>
      ))}
    </div>
  )
}
