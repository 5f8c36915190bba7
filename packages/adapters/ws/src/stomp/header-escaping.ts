import type { StompVersion } from './frame.ts'

// Built from strings: NUL, CR and LF in a regular expression literal are what linters warn about.
const UNSAFE_LINE = /[\n\r\0]/g
const SPECIAL = /[\\\n\r:\0]/

/** Makes a text safe where nothing can be escaped: it cannot end its line or its frame. */
function plain(text: string): string {
  return text.replace(UNSAFE_LINE, ' ')
}

/**
 * A header name or value as it goes on the wire. No version can escape NUL and 1.0 cannot escape anything: what would
 * break the frame becomes a space.
 */
export function escapeHeader(version: StompVersion, text: string): string {
  if (!SPECIAL.test(text)) return text
  switch (version) {
    case '1.0':
      return plain(text)
    case '1.1':
      return escaped(text, ESCAPES_11)
    case '1.2':
      return escaped(text, ESCAPES_12)
    default:
      return version satisfies never
  }
}

const ESCAPES_11: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  ':': '\\c',
  '\n': '\\n',
  '\0': ' ',
}
const ESCAPES_12: Readonly<Record<string, string>> = { ...ESCAPES_11, '\r': '\\r' }

/** Character by character: every chat's position has a colon. */
function escaped(text: string, escapes: Readonly<Record<string, string>>): string {
  let from = 0
  let safeText = ''
  for (let at = 0; at < text.length; at++) {
    const replacement = escapes[text.charAt(at)]
    if (replacement === undefined) continue
    safeText += text.slice(from, at) + replacement
    from = at + 1
  }
  return safeText + text.slice(from)
}

/** For CONNECT and CONNECTED, which are not escaped in any version. */
export function plainHeader(text: string): string {
  return plain(text)
}

/** The reverse of `escapeHeader`; undefined when the text has an escape that the version does not define. */
export function unescapeHeader(version: StompVersion, text: string): string | undefined {
  if (version === '1.0') return text.trim()
  let from = 0
  let at = text.indexOf('\\')
  if (at < 0) return text
  let plainText = ''
  while (at >= 0) {
    const char = unescaped(version, text.charCodeAt(at + 1))
    if (char === undefined) return undefined
    plainText += text.slice(from, at) + char
    from = at + 2
    at = text.indexOf('\\', from)
  }
  return plainText + text.slice(from)
}

function unescaped(version: StompVersion, code: number): string | undefined {
  switch (code) {
    case 0x6e:
      return '\n'
    case 0x63:
      return ':'
    case 0x5c:
      return '\\'
    case 0x72:
      return version === '1.2' ? '\r' : undefined
    default:
      return undefined
  }
}
