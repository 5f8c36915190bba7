import { BlockList, isIP } from 'node:net'

/** Any text but none. */
export function some(text: string): string | undefined {
  return text === '' ? undefined : text
}

/** `https://chat.example` or with a path, without a slash at its end; undefined for anything else. */
export function parseOrigin(text: string): string | undefined {
  const url = httpUrl(text)
  return url === undefined || text.endsWith('/') || url.search !== '' || url.hash !== '' ? undefined : text
}

function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
  return isHttp && url.username === '' && url.password === '' ? url : undefined
}

export function parseOrigins(text: string): '*' | readonly string[] | undefined {
  if (text === '*') return '*'
  const origins = list(text)
  const allRight = origins.length > 0 && origins.every(origin => httpUrl(origin)?.origin === origin)
  return allRight ? origins : undefined
}

const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128']

export function parseTrustProxy(text: string): boolean | readonly string[] | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  const ranges = list(text).flatMap(one => (one === 'loopback' ? LOOPBACK : [one]))
  return ranges.length > 0 && ranges.every(isRange) ? ranges : undefined
}

function isRange(range: string): boolean {
  const [address = '', bits, ...rest] = range.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** Whether an address is one of the proxies that TRUST_PROXY names. */
export function trustedProxies(setting: boolean | readonly string[]): (address: string) => boolean {
  if (typeof setting === 'boolean') return () => setting
  const proxies = new BlockList()
  for (const range of setting) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) proxies.addAddress(address, family)
    else proxies.addSubnet(address, Number(bits), family)
  }
  return address => {
    const family = isIP(address)
    return family !== 0 && proxies.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

export function parseAccess(text: string): 'open' | 'claim' | URL | undefined {
  return text === 'open' || text === 'claim' ? text : httpUrl(text)
}

export function parseTimeZone(text: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

export function parseRate(text: string): number | 'off' | undefined {
  if (text === 'off') return 'off'
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}

export function parseHttpUrl(text: string): string | undefined {
  return httpUrl(text) === undefined ? undefined : text
}

const BROKER = /^[A-Za-z0-9._-]+:([1-9]\d{0,4})$/

export function parseBrokers(text: string): readonly string[] | undefined {
  const brokers = list(text)
  const areAll = brokers.every(broker => Number(BROKER.exec(broker)?.[1] ?? Number.NaN) <= 65_535)
  return brokers.length > 0 && areAll ? brokers : undefined
}

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/

/** Topics of somebody else's, each once. */
export function parseTopics(text: string): readonly string[] | undefined {
  const topics = list(text)
  const areAll = topics.every(topic => TOPIC_NAME.test(topic)) && new Set(topics).size === topics.length
  return topics.length > 0 && areAll ? topics : undefined
}

export function parseMongodbUrl(text: string): string | undefined {
  return /^mongodb(\+srv)?:\/\/[^\s/]+/.test(text) ? text : undefined
}

/** A retention below a minute would lose chats before they are archived. */
const MIN_RETENTION_MS = 60_000

export function parseRetention(text: string): number | undefined {
  if (text === '-1') return -1
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= MIN_RETENTION_MS ? value : undefined
}

function list(text: string): string[] {
  return text
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
}

export function parseHost(text: string): string | undefined {
  return /^[\w.:%-]+$/.test(text) ? text : undefined
}

const FILE_TYPE = /^[a-z]+\/(?:\*|[a-z0-9][a-z0-9.+-]*)$/

/** `image/*,application/pdf`, or `*` for every file. */
export function parseFileTypes(text: string): readonly string[] | undefined {
  const types = text.split(',').map(type => type.trim().toLowerCase())
  return types.every(type => type === '*' || FILE_TYPE.test(type)) ? types : undefined
}

/** `160,320`: up to 8 sides in pixels. */
export function parseSizes(text: string): readonly number[] | undefined {
  const sizes = text.split(',').map(size => (/^ *\d{2,4} *$/.test(size) ? Number(size) : 0))
  return sizes.length <= 8 && sizes.every(size => size >= 16 && size <= 2_048) ? sizes : undefined
}
