import { Double, Int32, Long } from 'mongodb'

const LOCAL_TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?$/

/**
 * A time as any server wrote it, in milliseconds since 1970-01-01 UTC; undefined when it is none. What has no zone (a
 * Java LocalDateTime as text, or as an array `[y, M, d, h, m, s, nanos]` of 3 to 7) is a time of `timeZone`.
 */
export function createdAtMs(value: unknown, timeZone: string | undefined): number | undefined {
  if (value instanceof Date) return finite(value.getTime())
  if (Array.isArray(value)) return localMs(value.map(numberOf), timeZone)
  if (typeof value !== 'string') return finite(numberOf(value))
  const local = LOCAL_TIME.exec(value)
  if (local === null) return finite(Date.parse(value))
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = ''] = local
  const nanos = Number(fraction.padEnd(9, '0'))
  return localMs([year, month, day, hour, minute, second].map(Number).concat(nanos), timeZone)
}

function localMs(parts: readonly number[], timeZone: string | undefined): number | undefined {
  const [year, month, day, hour = 0, minute = 0, second = 0, nanos = 0] = parts
  if (year === undefined || month === undefined || day === undefined || parts.length > 7) return undefined
  const millis = Math.floor(nanos / 1_000_000)
  if (timeZone === undefined) {
    return finite(new Date(year, month - 1, day, hour, minute, second, millis).getTime())
  }
  const asUtc = finite(Date.UTC(year, month - 1, day, hour, minute, second, millis))
  if (asUtc === undefined) return undefined
  // The offset at the first guess is right but within hours of a change of the clocks; the second look settles those.
  const guess = asUtc - offsetMs(asUtc, timeZone)
  return asUtc - offsetMs(guess, timeZone)
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** How far the zone's clocks are ahead of UTC at this moment. */
function offsetMs(atMs: number, timeZone: string): number {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(timeZone, format)
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]))
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

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (value instanceof Long) return value.toNumber()
  return value instanceof Int32 || value instanceof Double ? value.value : Number.NaN
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
