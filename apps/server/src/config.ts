import type { z } from 'zod'
import { bridgeProblems } from './config/bridge-settings.ts'
import { engineProblems, type GivenSettings, mixtureProblems, mixtureWarnings } from './config/mixtures.ts'
import { settingInfos } from './config/setting.ts'
import { type SettingsName, settingsSchema } from './config/settings.ts'

export { stateServersOf } from './config/presence-settings.ts'

/** The parsed settings, each under its own name; what is left out has its default. */
export type Config = Readonly<z.output<typeof settingsSchema>>

export type Environment = Readonly<Record<string, string | undefined>>

/** A configuration that cannot be served with: every problem of it, each beginning with its setting's name. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}`)
    this.problems = problems
  }
}

export interface LoadedConfig {
  readonly config: Config
  /** Settings that look like ours and are not, most likely misspelt; and what is allowed, but worse than it looks. */
  readonly warnings: readonly string[]
}

/**
 * Reads the settings from the environment; a setting that is empty counts as left out.
 * @throws ConfigError with all problems at once
 */
export function loadConfig(environment: Environment = process.env): LoadedConfig {
  const given = Object.fromEntries(
    SETTING_NAMES.flatMap(name => {
      const text = environment[name]
      return text === undefined || text.trim() === '' ? [] : [[name, text]]
    }),
  )
  const parsed = settingsSchema.safeParse(given)
  const problems = (parsed.error?.issues ?? []).map(issue => `${issue.path.join('.')} ${issue.message}`)
  problems.push(
    ...problemsBetween(given),
    ...engineProblems(given),
    ...bridgeProblems(given),
    ...mixtureProblems(given),
    ...misplacedSettings(environment),
  )
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  const warnings = [...unknownSettings(environment), ...mixtureWarnings(given)]
  return { config: Object.freeze(parsed.data), warnings }
}

export const SETTING_NAMES = Object.keys(settingsSchema.shape) as readonly SettingsName[]

/** What no setting is guilty of alone. */
function problemsBetween(given: GivenSettings): string[] {
  const problems: string[] = []
  if ('JWT_SECRET' in given && 'JWT_PUBLIC_KEY' in given)
    problems.push('JWT_SECRET and JWT_PUBLIC_KEY must not both be set: tokens are checked with one key')
  if ('JWT_SECRET_ENCODING' in given && !('JWT_SECRET' in given))
    problems.push('JWT_SECRET_ENCODING says how JWT_SECRET is written, but JWT_SECRET is not set')
  if ('ROOM_ACCESS_AUTHORIZATION' in given && !/^https?:/.test(given.ROOM_ACCESS ?? ''))
    problems.push('ROOM_ACCESS_AUTHORIZATION has no effect unless ROOM_ACCESS is a URL')
  if ('CHAT_TIME_ZONE' in given && given.CHAT_COMPAT !== 'sgs' && !readsJava(given))
    problems.push('CHAT_TIME_ZONE has no effect without CHAT_COMPAT=sgs, MONGODB_URL or KAFKA_BRIDGE_TOPICS')
  return problems
}

/** Whether zone-less times of the Java servers are read. */
function readsJava(given: GivenSettings): boolean {
  return 'MONGODB_URL' in given || 'KAFKA_BRIDGE_TOPICS' in given
}

function misplacedSettings(environment: Environment): string[] {
  return Object.keys(environment).flatMap(name => {
    if (!environment[name] || Object.hasOwn(settingsSchema.shape, name)) return []
    const isWithoutUnit = Object.hasOwn(settingsSchema.shape, `${name}_MS`)
    return isWithoutUnit ? [`${name} must be given as ${name}_MS, in milliseconds`] : []
  })
}

/** Beginnings that only settings of this server have. */
const OUR_PREFIXES =
  /^(CHAT|JWT|KAFKA|MONGODB|S3|ROOM_ACCESS|SOCKJS|STOMP|SQLITE|HISTORY|RECOVERY|RECENT|DEDUP|ARCHIVE|MAX|RATE|TOKEN_EXPIRY|FILE|PICTURE|THUMBNAIL|UPLOAD)(_|$)/

function unknownSettings(environment: Environment): string[] {
  return Object.keys(environment).flatMap(name => {
    if (Object.hasOwn(settingsSchema.shape, name)) return []
    const [nearest, distance] = nearestSetting(name)
    const isMisspelt = distance <= (name.length > 6 ? 2 : 1)
    if (!OUR_PREFIXES.test(name) && !isMisspelt) return []
    return [`${name} is no setting of this server${isMisspelt ? `; did you mean ${nearest}?` : ''}`]
  })
}

function nearestSetting(name: string): readonly [nearest: string, distance: number] {
  let best: readonly [string, number] = ['', Number.POSITIVE_INFINITY]
  for (const known of SETTING_NAMES) {
    if (Math.abs(known.length - name.length) > 2) continue
    const distance = editDistance(known, name)
    if (distance < best[1]) best = [known, distance]
  }
  return best
}

/** Letters to add, drop or change (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** One setting as people read about it. */
export interface DescribedSetting {
  readonly name: string
  readonly about: string
  readonly allowed: string
  readonly unit: string | undefined
  readonly byDefault: string | undefined
}

/** All settings, in the order of the schema. */
export function describeSettings(): readonly DescribedSetting[] {
  return SETTING_NAMES.map(name => {
    const info = settingInfos.get(settingsSchema.shape[name])
    if (info === undefined) throw new Error(`the setting ${name} is not described`)
    const { about, allowed, unit, byDefault } = info
    return { name, about, allowed, unit, byDefault }
  })
}

/** The configuration for a log or a screen: secrets are masked. */
export function printableConfig(config: Config): Record<string, string> {
  const printable: Record<string, string> = {}
  for (const name of SETTING_NAMES) {
    const value = config[name]
    if (value === undefined) continue
    printable[name] = settingInfos.get(settingsSchema.shape[name])?.secret ? '***' : printed(value)
  }
  return printable
}

function printed(value: string | number | boolean | URL | readonly (string | number)[]): string {
  if (value instanceof URL) return `${value.origin}${value.pathname}`
  return String(value)
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = describeSettings().map(({ name, about, allowed, unit, byDefault }) => {
    const value = `${allowed}${unit === undefined ? '' : ` (${unit})`}`
    return `  ${name}\n      ${about}\n      ${value}; default: ${byDefault ?? 'none'}`
  })
  return `Usage: pnpm start [--help]\n\nSettings, all by environment variable:\n\n${lines.join('\n')}\n`
}
