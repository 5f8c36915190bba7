/** Year, month, day, hour, minute, second, nanosecond: how Jackson writes a `LocalDateTime` as an array. */
export type TimeArray = readonly [number, number, number, number, number, number, number]

const MINUTE_MS = 60_000

/**
 * Times as the clocks of one zone show them. The zone's rules are asked once a minute, not once a chat: no zone has
 * changed its offset by less since 1972.
 */
export class ZonedTime {
  readonly #format: Intl.DateTimeFormat
  #minute = Number.NaN
  #parts: readonly [number, number, number, number, number] = [1970, 1, 1, 0, 0]

  /** @throws RangeError for a zone that nobody knows */
  constructor(timeZone?: string) {
    this.#format = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
      ...(timeZone === undefined ? {} : { timeZone }),
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
  }

  array(timeMs: number): TimeArray {
    const minute = Math.floor(timeMs / MINUTE_MS)
    if (minute !== this.#minute) {
      this.#parts = this.#read(minute * MINUTE_MS)
      this.#minute = minute
    }
    const restMs = timeMs - minute * MINUTE_MS
    const second = Math.floor(restMs / 1_000)
    return [...this.#parts, second, Math.round((restMs - second * 1_000) * 1e6)]
  }

  #read(timeMs: number): readonly [number, number, number, number, number] {
    const found = { year: 0, month: 0, day: 0, hour: 0, minute: 0 }
    for (const { type, value } of this.#format.formatToParts(timeMs)) {
      if (type in found) found[type as keyof typeof found] = Number(value)
    }
    return [found.year, found.month, found.day, found.hour, found.minute]
  }
}
