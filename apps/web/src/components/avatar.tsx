const HUES = 12
const letters = new Intl.Segmenter()

/** The first letter of a name, in a colour of its own. */
export function Avatar({ name }: { readonly name: string }) {
  let sum = 0
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9_973
  return (
    <span class={`avatar hue-${sum % HUES}`} aria-hidden="true">
      {firstLetter(name)}
    </span>
  )
}

/** As people count letters: a syllable, or an emoji of several code points, is one. */
function firstLetter(name: string): string {
  for (const { segment } of letters.segment(name.toUpperCase())) return segment
  return '?'
}
