/**
 * The zone-less times of the Java servers: a LocalDateTime as Jackson writes it, `[y, M, d, h, m, s, nanos]`, of which
 * seconds and nanoseconds may be left out (wire contract, section 3). Their zone is a setting.
 */

/** The least and the most of each element. */
const RANGES: readonly (readonly [number, number])[] = [
  [1970, 9_999],
  [1, 12],
  [1, 31],
  [0, 23],
  [0, 59],
  [0, 59],
  [0, 999_999_999],
]
const MIN_PARTS = 5
const NANOS_PER_MS = 1_000_000

/** @returns milliseconds since 1970-01-01 UTC; undefined for anything but such an array */
export function localTimeMs(value: unknown, timeZone: string): number | undefined {
  if (!Array.isArray(value) || value.length < MIN_PARTS || value.length > RANGES.length) return undefined
  const parts = value.map(Number)
  const isInRange = RANGES.slice(0, value.length).every(([least, most], index) => {
    const part: unknown = value[index]
    return typeof part === 'number' && Number.isInteger(part) && part >= least && part <= most
  })
  if (!isInRange) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, nanos = 0] = parts
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second, Math.floor(nanos / NANOS_PER_MS))
  // The offset at the first guess is wrong only within hours of a change of the clocks; the second look settles those.
  const guess = asUtc - offsetMs(asUtc, timeZone)
  return asUtc - offsetMs(guess, timeZone)
}

/** All seven elements. */
export function localTimeParts(atMs: number, timeZone: string): readonly number[] {
  const local = new Date(atMs + offsetMs(atMs, timeZone))
  return [
    local.getUTCFullYear(),
    local.getUTCMonth() + 1,
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
    local.getUTCMilliseconds() * NANOS_PER_MS,
  ]
}

/** Undefined for a name that is no time zone. */
export function knownTimeZone(name: string): string | undefined {
  try {
    return formatOf(name).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** How far the zone's clocks are ahead of UTC at this moment. */
function offsetMs(atMs: number, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0
  const shownMs = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return shownMs - Math.floor(atMs / 1_000) * 1_000
}

/** Making one costs more than using it many times; a bridge has one zone. */
let format: { readonly timeZone: string; readonly made: Intl.DateTimeFormat } | undefined

function formatOf(timeZone: string): Intl.DateTimeFormat {
  if (format?.timeZone === timeZone) return format.made
  const numeric = 'numeric'
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  })
  format = { timeZone, made }
  return made
}
