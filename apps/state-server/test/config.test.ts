import { describe, expect, it } from 'vitest'
import { ConfigError, helpText, loadConfig } from '../src/config.ts'

function problems(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

describe('the configuration of the state server', () => {
  it('S1: every setting has a default, and the ports are those of the contract', () => {
    expect(loadConfig({})).toMatchObject({
      HOST: '127.0.0.1',
      TCP_PORT: 8099,
      GRPC_PORT: 8095,
      PRESENCE_LEASE_MS: 30_000,
    })
    for (const name of Object.keys(loadConfig({}))) expect(helpText()).toContain(name)
  })

  it('S1: every problem is told at once, and no secret', () => {
    const told = problems({
      TCP_PORT: '70000',
      REDIS_URL: 'http://:sesame@x',
      STATE_TOKEN: 'sesame',
      LOG_LEVEL: 'loud',
    })
    expect(told.map(problem => problem.split(' ')[0])).toEqual([
      'TCP_PORT',
      'REDIS_URL',
      'STATE_TOKEN',
      'LOG_LEVEL',
    ])
    expect(told.join()).not.toContain('sesame')
  })

  it('S2: another address than loopback needs a token or client certificates', () => {
    expect(problems({ HOST: '0.0.0.0' })).toEqual([
      'HOST must be a loopback address unless STATE_TOKEN or TLS_CLIENT_CA is set',
    ])
    expect(problems({ HOST: '0.0.0.0', STATE_TOKEN: 'sixteen characters' })).toEqual([])
    const tls = { TLS_CERTIFICATE: 'a.pem', TLS_KEY: 'b.pem' }
    expect(problems({ HOST: '10.0.0.1', ...tls })).toHaveLength(1)
    expect(problems({ HOST: '10.0.0.1', ...tls, TLS_CLIENT_CA: 'c.pem' })).toEqual([])
    for (const HOST of ['127.0.0.2', '::1', 'localhost']) expect(problems({ HOST })).toEqual([])
  })

  it('S1: TLS settings that say half are refused', () => {
    expect(problems({ TLS_KEY: 'a.pem' })).toHaveLength(1)
    expect(problems({ TLS_CLIENT_CA: 'a.pem' })).toHaveLength(1)
  })
})
