import { DEFAULT_LIMITS } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { KAFKA_LIMITS, MONGODB_LIMITS, S3_LIMITS } from '../src/config/engine-settings.ts'
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
    expect(limitsFrom(config, 'KAFKA_', KAFKA_LIMITS)).toEqual(KAFKA_LIMITS)
    expect(limitsFrom(config, 'MONGODB_', MONGODB_LIMITS)).toEqual(MONGODB_LIMITS)
    expect(limitsFrom(config, 'S3_', S3_LIMITS)).toEqual(S3_LIMITS)
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

describe('which engines go together', () => {
  const SHARED = {
    KAFKA_BROKERS: 'kafka:9092',
    MONGODB_URL: 'mongodb://mongo/chat',
    S3_BUCKET: 'files',
    STATE_SERVER: 'tcp+lease://state',
    PUBLIC_URL: 'https://chat.example',
    JWT_SECRET: 'y'.repeat(32),
  }

  it('G9.1: takes all shared engines, one node of its own, and S3 beside the file', () => {
    for (const environment of [
      SHARED,
      { KAFKA_BROKERS: 'kafka:9092', SINGLE_NODE: 'true' },
      { KAFKA_BROKERS: 'kafka:9092', MONGODB_URL: SHARED.MONGODB_URL, SINGLE_NODE: '1' },
      { S3_BUCKET: 'files', S3_ENDPOINT: 'http://s3:9000', S3_SSE: 'aws:kms', S3_SSE_KMS_KEY_ID: 'k' },
    ])
      expect(problemsOf(environment)).toEqual([])
  })

  it('G9.1: refuses what belongs to one node beside a shared log, listing all of it', () => {
    const problems = problemsOf({ KAFKA_BROKERS: 'kafka:9092' })
    const named = ['MONGODB_URL', 'S3_BUCKET', 'STATE_SERVER', 'JWT_SECRET']
    expect(problems.map(problem => problem.split(' ')[0])).toEqual(named)
    for (const problem of problems) expect(problem).toContain('SINGLE_NODE=true')
  })

  it('G9.1: refuses a shared history of a log of its own', () => {
    expect(problemsOf({ MONGODB_URL: 'mongodb://mongo/chat' })).toEqual([
      expect.stringMatching(/^MONGODB_URL needs KAFKA_BROKERS/),
    ])
  })

  it.each([
    ['KAFKA_TOPIC', 'studyhub'],
    ['KAFKA_TOPIC', 'studyhub-2'],
    ['KAFKA_ARCHIVE_GROUP', 'pnu-cse'],
  ])('G9.1: leaves %s=%s to the Java servers', (name, value) => {
    expect(problemsOf({ ...SHARED, [name]: value })).toEqual([expect.stringMatching(`^${name} must be`)])
  })

  it('G9.1: refuses settings of an engine that is not chosen, and halves of a pair', () => {
    expect(problemsOf({ KAFKA_TOPIC: 'x', S3_REGION: 'eu-north-1', MONGODB_DATABASE: 'chat' })).toEqual([
      'KAFKA_TOPIC has no effect without KAFKA_BROKERS',
      'MONGODB_DATABASE has no effect without MONGODB_URL',
      'S3_REGION has no effect without S3_BUCKET',
    ])
    const halves = {
      KAFKA_USERNAME: 'chat',
      KAFKA_SSL_CA: 'ca.pem',
      AWS_ACCESS_KEY_ID: 'id',
      S3_SSE: 'aws:kms',
    }
    expect(problemsOf({ ...SHARED, ...halves })).toHaveLength(5)
    expect(problemsOf({ AWS_ACCESS_KEY_ID: 'of somebody else' })).toEqual([])
  })

  it('G9.1: refuses presence of one node among state servers, and links that each node signs alone', () => {
    const named = (settings: Readonly<Record<string, string>>): (string | undefined)[] =>
      problemsOf(settings).map(problem => problem.split(' ')[0])
    expect(named({ ...SHARED, STATE_SERVER: 'tcp+lease://state,embedded' })).toEqual(['STATE_SERVER'])
    const { JWT_SECRET: _none, ...publicKey } = { ...SHARED, JWT_PUBLIC_KEY: 'key.pem' }
    expect(named(publicKey)).toEqual(['FILE_LINK_SECRET'])
    expect(named({ ...publicKey, FILE_LINK_SECRET: 'x'.repeat(16) })).toEqual([])
  })

  it('warns of links to files that lead to one node', () => {
    const { PUBLIC_URL: _none, ...rest } = SHARED
    expect(loadConfig(rest).warnings).toEqual([expect.stringContaining('PUBLIC_URL')])
    expect(loadConfig({ ...rest, SINGLE_NODE: 'true' }).warnings).toEqual([])
  })

  it('masks every secret of the engines', () => {
    const secrets = {
      MONGODB_URL: 'mongodb://chat:hunter2@mongo/chat',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_USERNAME: 'chat',
      KAFKA_PASSWORD: 'hunter2',
      AWS_ACCESS_KEY_ID: 'hunter2',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      AWS_SESSION_TOKEN: 'hunter2',
      FILE_LINK_SECRET: 'hunter2-hunter2-',
    }
    const { config } = loadConfig({ ...SHARED, ...secrets })
    expect(config.KAFKA_SASL_MECHANISM).toBe('scram-sha-512')
    expect(JSON.stringify(printableConfig(config))).not.toContain('hunter2')
    expect(problemsOf({ ...SHARED, S3_ENDPOINT: 'http://chat:hunter2@s3' }).join()).not.toContain('hunter2')
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

  it('shows each setting in --help', () => {
    const shown = [...helpText().matchAll(/^ {2}([A-Z][A-Z0-9_]*)$/gm)].map(([, name]) => name)
    expect(shown).toEqual(SETTING_NAMES)
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
