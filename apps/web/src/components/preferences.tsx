import type { Signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { type Language, language, type Theme, theme } from '../preferences.ts'
import { text } from '../text.ts'
import { Icon } from './icon.tsx'

export function Preferences() {
  const t = text.value
  return (
    <div class="preferences">
      <Choice<Language>
        name={t.language}
        chosen={language}
        options={{ en: <span lang="en">English</span>, ko: <span lang="ko">한국어</span> }}
      />
      <Choice<Theme>
        name={t.colours}
        chosen={theme}
        options={{
          auto: <Named icon="auto" name={t.theme.auto} />,
          light: <Named icon="light" name={t.theme.light} />,
          dark: <Named icon="dark" name={t.theme.dark} />,
        }}
      />
    </div>
  )
}

function Named({ icon, name }: { readonly icon: Theme; readonly name: string }) {
  return (
    <span title={name}>
      <Icon name={icon} />
      <span class="visually-hidden">{name}</span>
    </span>
  )
}

interface ChoiceProps<Option extends string> {
  readonly name: string
  readonly chosen: Signal<Option>
  readonly options: Readonly<Record<Option, ComponentChildren>>
}

/** One of a few, side by side. */
function Choice<Option extends string>({ name, chosen, options }: ChoiceProps<Option>) {
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{name}</legend>
      {(Object.keys(options) as Option[]).map(option => (
        <label key={option}>
          <input
            type="radio"
            class="visually-hidden"
            name={name}
            checked={chosen.value === option}
            onChange={() => {
              chosen.value = option
            }}
          />
          {options[option]}
        </label>
      ))}
    </fieldset>
  )
}
