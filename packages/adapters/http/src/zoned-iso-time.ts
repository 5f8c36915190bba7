/** No zone has changed its offset at another moment than a whole quarter of an hour since 1973. */
const QUARTER_MS = 900_000

/**
 * Writes times as the clocks of one zone show them, without the zone: `2026-03-01T09:05:07.25`, how Jackson writes a
 * `LocalDateTime` (ISO_LOCAL_DATE_TIME: as many digits of the second's fraction as there are). The zone's rules are
 * asked once for each quarter of an hour in a row, not once a chat.
 * @throws RangeError for a zone that nobody knows
 */
export function zonedIsoTime(timeZone?: string): (timeMs: number) => string {
  const format = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
    ...(timeZone === undefined ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  let quarter = Number.NaN
  let offsetMs = 0
  return timeMs => {
    const asked = Math.floor(timeMs / QUARTER_MS)
    if (asked !== quarter) {
      offsetMs = offsetAt(format, asked * QUARTER_MS)
      quarter = asked
    }
    const [seconds, fraction = ''] = new Date(timeMs + offsetMs).toISOString().slice(0, -1).split('.')
    const digits = fraction.replace(/0+$/, '')
    return digits === '' ? `${seconds}` : `${seconds}.${digits}`
  }
}

function offsetAt(format: Intl.DateTimeFormat, timeMs: number): number {
  const shown = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of format.formatToParts(timeMs)) {
    if (type in shown) shown[type as keyof typeof shown] = Number(value)
  }
  const { year, month, day, hour, minute, second } = shown
  return Date.UTC(year, month - 1, day, hour, minute, second) - timeMs
}
