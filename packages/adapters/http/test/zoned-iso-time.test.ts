import { describe, expect, it } from 'vitest'
import { zonedIsoTime } from '../src/zoned-iso-time.ts'

const at = (text: string): number => Date.parse(text)

describe('times without a zone', () => {
  it.each([
    ['Asia/Seoul', '2026-03-01T00:05:07.250Z', '2026-03-01T09:05:07.25'],
    ['Asia/Seoul', '2025-12-31T15:00:00.000Z', '2026-01-01T00:00:00'],
    ['UTC', '2026-03-01T09:05:07.100Z', '2026-03-01T09:05:07.1'],
    ['UTC', '2026-03-01T09:05:07.001Z', '2026-03-01T09:05:07.001'],
    ['Asia/Kathmandu', '2026-03-01T00:00:00Z', '2026-03-01T05:45:00'],
    // The hour that Berlin's clocks leave out, and the one that they show twice.
    ['Europe/Berlin', '2026-03-29T00:59:59.999Z', '2026-03-29T01:59:59.999'],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29T03:00:00'],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T02:30:00'],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', '2026-04-05T01:30:00'],
    ['UTC', '1969-12-31T23:59:59.500Z', '1969-12-31T23:59:59.5'],
  ])('%s at %s is %s', (zone, utc, local) => {
    expect(zonedIsoTime(zone)(at(utc))).toBe(local)
  })

  it('gives the same whatever was asked before', () => {
    const time = zonedIsoTime('Europe/Berlin')
    expect(time(at('2026-03-29T01:00:00Z'))).toBe('2026-03-29T03:00:00')
    expect(time(at('2026-03-29T00:59:59Z'))).toBe('2026-03-29T01:59:59')
    expect(time(at('2026-03-29T01:00:00Z'))).toBe('2026-03-29T03:00:00')
  })

  it('refuses a zone that nobody knows', () => {
    expect(() => zonedIsoTime('Mars/Base')).toThrow(RangeError)
  })
})
