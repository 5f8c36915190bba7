import { DEFAULT_LIMITS } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { limitsFrom, settingName } from '../src/config/limit-settings.ts'
import {
  HTTP_LIMITS,
  SOCKJS_LIMITS,
  SQLITE_LIMITS,
  STOMP_LIMITS,
} from '../src/config/transport-limit-settings.ts'
import {
  ConfigError,
  describeSettings,
  type Environment,
  helpText,
  loadConfig,
  printableConfig,
  SETTING_NAMES,
} from '../src/config.ts'

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('C1: defaults', () => {
  it('needs no setting at all', () => {
    const { config, warnings } = loadConfig({})
    expect(warnings).toEqual([])
    expect(config).toMatchObject({
      PORT: 8031,
      DATA_DIR: './data',
      ALLOWED_ORIGINS: '*',
      JWT_USER_CLAIM: 'id',
      JWT_SECRET_ENCODING: 'utf8',
      ROOM_ACCESS: 'open',
      CHAT_COMPAT: 'none',
      SINGLE_NODE: false,
      STATE_SERVER: ['embedded'],
    })
    expect(config.HOST).toBeUndefined()
    expect(config.JWT_SECRET).toBeUndefined()
  })

  it('has a setting for each limit, with the default of its package', () => {
    const { config } = loadConfig({})
    expect(limitsFrom(config, '', DEFAULT_LIMITS)).toEqual(DEFAULT_LIMITS)
    expect(limitsFrom(config, 'SOCKJS_', SOCKJS_LIMITS)).toEqual(SOCKJS_LIMITS)
    expect(limitsFrom(config, 'STOMP_', STOMP_LIMITS)).toEqual(STOMP_LIMITS)
    expect(limitsFrom(config, 'HTTP_', HTTP_LIMITS)).toEqual(HTTP_LIMITS)
    expect(limitsFrom(config, 'SQLITE_', SQLITE_LIMITS)).toEqual(SQLITE_LIMITS)
  })

  it('names a limit after the code', () => {
    expect(settingName('recentWindowBytes')).toBe('RECENT_WINDOW_BYTES')
    expect(limitsFrom(loadConfig({ MAX_PAGE_CHATS: '7' }).config, '', DEFAULT_LIMITS).maxPageChats).toBe(7)
  })

  it('takes an empty setting as left out', () => {
    expect(loadConfig({ PORT: '', JWT_SECRET: '  ', KAFKA_BROKERS: '' }).config.PORT).toBe(8031)
  })
})

describe('C2: problems', () => {
  it('lists all of them at once, each with its setting and what is allowed', () => {
    const problems = problemsOf({
      PORT: '65536',
      CHAT_COMPAT: 'java',
      ALLOWED_ORIGINS: 'https://app.example/path',
      MAX_CONTENT_BYTES: '-1',
      ROOM_ACCESS: 'ftp://x',
      RATE_LIMIT: '0',
      SINGLE_NODE: 'yes',
      CHAT_TIME_ZONE: 'Mars/Base',
      JWT_SECRET: 'a',
      JWT_PUBLIC_KEY: 'b',
    })
    expect(problems).toContain('PORT must be an integer from 0 to 65535, not "65536"')
    expect(problems).toContain('CHAT_COMPAT must be none | sgs, not "java"')
    expect(problems).toContain('RATE_LIMIT must be an integer 1 or more, or off, not "0"')
    for (const name of [
      'ALLOWED_ORIGINS',
      'MAX_CONTENT_BYTES',
      'ROOM_ACCESS',
      'SINGLE_NODE',
      'CHAT_TIME_ZONE',
      'JWT_SECRET',
    ])
      expect(
        problems.some(problem => problem.startsWith(`${name} `)),
        name,
      ).toBe(true)
  })

  it('never quotes a secret', () => {
    const problems = problemsOf({
      KAFKA_BROKERS: 'user:hunter2@host',
      JWT_SECRET: 'hunter2',
      JWT_PUBLIC_KEY: 'hunter2',
    })
    expect(problems.length).toBeGreaterThan(1)
    expect(problems.join()).not.toContain('hunter2')
  })

  it.each([
    ['KAFKA_BROKERS', 'localhost:9092'],
    ['KAFKA_TOPIC', 'x'],
    ['MONGODB_URL', 'mongodb://localhost'],
    ['S3_BUCKET', 'bucket'],
    ['S3_ENDPOINT', 'http://localhost'],
  ])('refuses %s: its engine is not built yet', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be `))])
  })

  it.each([
    'embedded',
    'tcp://state:8099',
    'tcp+lease://[::1]:8099',
    'grpc://10.0.0.1',
    'tcp+lease://a, tcp+lease://b,embedded',
  ])('S5: takes STATE_SERVER=%s', value => {
    expect(problemsOf({ STATE_SERVER: value })).toEqual([])
  })

  it.each([
    'tcp',
    'http://state',
    'tcp://state:70000',
    'tcp://a,tcp://a',
    'tcp://user@state',
    'embedded,',
    'tcp://a/b',
  ])('S5: refuses STATE_SERVER=%s', value => {
    expect(problemsOf({ STATE_SERVER: value })).toEqual([expect.stringMatching(/^STATE_SERVER must be /)])
  })

  it.each(['ROOM_ACCESS_MAX_AGE', 'ROOM_ACCESS_STALE_MAX', 'TOKEN_EXPIRY_GRACE'])(
    'refuses %s without its unit',
    name => {
      expect(problemsOf({ [name]: '5' })).toEqual([`${name} must be given as ${name}_MS, in milliseconds`])
    },
  )

  it('takes each value at its limit', () => {
    expect(problemsOf({ PORT: '65535', RATE_LIMIT: 'off', ROOM_ACCESS: 'https://app.example/may' })).toEqual(
      [],
    )
    expect(problemsOf({ ALLOWED_ORIGINS: 'https://a.example, http://localhost:3000' })).toEqual([])
    expect(problemsOf({ TRUST_PROXY: 'loopback,10.0.0.0/8,2001:db8::/32' })).toEqual([])
    expect(problemsOf({ TRUST_PROXY: '10.0.0.0/33' })).toHaveLength(1)
  })
})

describe('C3: warnings', () => {
  it('names a misspelt setting and the one that was meant', () => {
    const { warnings } = loadConfig({
      DATA_DIRR: 'x',
      MAX_CONTENTS_BYTES: '5',
      CHAT_COLOUR: 'red',
      PATH: '/bin',
      HOME: '/',
    })
    expect(warnings).toEqual([
      'DATA_DIRR is no setting of this server; did you mean DATA_DIR?',
      'MAX_CONTENTS_BYTES is no setting of this server; did you mean MAX_CONTENT_BYTES?',
      'CHAT_COLOUR is no setting of this server',
    ])
  })
})

describe('what people read', () => {
  it('describes every setting in one line', () => {
    for (const { name, about, allowed } of describeSettings()) {
      expect(about, name).toMatch(/^[^\n]{5,110}$/)
      expect(allowed, name).not.toBe('')
    }
  })

  it('shows each setting of this version in --help, and none of a later one', () => {
    const shown = [...helpText().matchAll(/^ {2}([A-Z][A-Z0-9_]*)$/gm)].map(([, name]) => name)
    const later = ['KAFKA_BROKERS', 'MONGODB_URL', 'S3_BUCKET']
    expect(shown).toEqual(SETTING_NAMES.filter(name => !later.includes(name)))
  })

  it('masks secrets', () => {
    const { config } = loadConfig({
      JWT_SECRET: 'hunter2',
      ROOM_ACCESS: 'https://app.example/may?key=hunter2',
    })
    const printable = printableConfig(config)
    expect(printable.JWT_SECRET).toBe('***')
    expect(printable.ROOM_ACCESS).toBe('https://app.example/may')
    expect(JSON.stringify(printable)).not.toContain('hunter2')
    expect(printable.PORT).toBe('8031')
  })
})
