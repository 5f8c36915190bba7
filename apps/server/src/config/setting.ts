import { z } from 'zod'

/** What `--help`, error texts and the documents say of one setting. */
export interface SettingInfo {
  /** One line: what it is for. */
  readonly about: string
  /** What values it takes, as it follows "must be". */
  readonly allowed: string
  readonly unit?: string
  /** The default as a person reads it; absent: unset. */
  readonly byDefault?: string
  /** Its value is never printed. */
  readonly secret?: true
}

/** The infos of the schema's settings. */
export const settingInfos = z.registry<SettingInfo>()

/** A setting whose text is read by `parse`; undefined: not allowed, and the problem then says what was given. */
function setting<T>(info: SettingInfo, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text.trim())
    if (value !== undefined) return value
    // What holds an @ may hold somebody's password before it.
    const given = info.secret || text.includes('@') ? '' : `, not ${quoted(text.trim())}`
    context.addIssue({ code: 'custom', message: `must be ${info.allowed}${given}` })
    return z.NEVER
  })
}

const MAX_QUOTED = 60

function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text)
}

export interface IntegerSetting {
  readonly about: string
  readonly unit?: string
  readonly byDefault: number
  readonly min?: number
  readonly max?: number
}

export function integer({ about, unit, byDefault, min = 0, max = Number.MAX_SAFE_INTEGER }: IntegerSetting) {
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`
  const info: SettingInfo = {
    about,
    allowed: `an integer ${range}`,
    byDefault: String(byDefault),
    ...(unit ? { unit } : {}),
  }
  return setting(info, text => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  })
    .default(byDefault)
    .register(settingInfos, info)
}

export function choice<const T extends string>(about: string, values: readonly [T, ...T[]], byDefault: T) {
  const info: SettingInfo = { about, allowed: values.join(' | '), byDefault }
  return (
    setting(info, text => values.find(one => one === text))
      // zod cannot see that a type parameter is never a function of its own.
      .default(() => byDefault as never)
      .register(settingInfos, info)
  )
}

export function flag(about: string, byDefault: boolean) {
  const info: SettingInfo = { about, allowed: 'true | false', byDefault: String(byDefault) }
  return setting(info, text => {
    if (text === 'true' || text === '1') return true
    return text === 'false' || text === '0' ? false : undefined
  })
    .default(byDefault)
    .register(settingInfos, info)
}

export interface TextSetting<T> extends SettingInfo {
  /** Undefined: not allowed. */
  readonly parse: (text: string) => T | undefined
}

/** A setting that may be left out. */
export function optional<T>({ parse, ...info }: TextSetting<T>) {
  return setting(info, parse).optional().register(settingInfos, info)
}

/** A setting with a default that reads as `byDefault`. */
export function withDefault<T>(value: T, { parse, ...info }: TextSetting<T>) {
  return setting(info, parse)
    .default(() => value as never)
    .register(settingInfos, info)
}
