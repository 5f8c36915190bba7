import { InvalidArgumentError, Option } from 'commander'

/** `http://a:8031,http://b:8032`, each without the slash at its end. */
export function nodeUrls(text: string): string[] {
  return text.split(',').map(one => {
    const url = URL.parse(one.trim())
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
      throw new InvalidArgumentError('must be http(s) URLs with commas between.')
    return url.href.replace(/\/$/, '')
  })
}

/** A whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return text => {
    const number = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= least)) throw new InvalidArgumentError(`must be a whole number of at least ${least}.`)
    return number
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `500ms`, `30s`, `10m`, `1h`. */
function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? []
  const unitMs = UNIT_MS[unit]
  if (count === undefined || unitMs === undefined)
    throw new InvalidArgumentError('must be a time such as 500ms, 30s, 10m or 1h.')
  return Number(count) * unitMs
}

/** An option that takes a time, with its default in milliseconds. */
export function timeOption(flag: string, about: string, byDefaultMs: number): Option {
  return new Option(`${flag} <time>`, about)
    .argParser(duration)
    .default(byDefaultMs, `${byDefaultMs / 1_000}s`)
}

/** docs/SPEC.md, G7.5. */
export function roomId(text: string): number {
  const room = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(room)) throw new InvalidArgumentError('must be a room id: 0 to 9007199254740991.')
  return room
}
