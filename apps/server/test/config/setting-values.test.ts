import { describe, expect, it } from 'vitest'
import {
  parseFileTypes,
  parseOrigin,
  parseOrigins,
  parseRate,
  parseSizes,
  parseTrustProxy,
  trustedProxies,
} from '../../src/config/setting-values.ts'

describe('TRUST_PROXY', () => {
  it('trusts exactly the addresses and ranges that it names', () => {
    const ranges = parseTrustProxy('loopback, 10.1.0.0/16, 2001:db8::/32, 192.0.2.7')
    const trusts = trustedProxies(ranges ?? false)
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '10.1.255.255', '2001:db8:1::1', '192.0.2.7'])
      expect(trusts(address), address).toBe(true)
    for (const address of ['10.2.0.0', '192.0.2.8', '2001:db9::1', 'unix:', ''])
      expect(trusts(address), address).toBe(false)
  })

  it('trusts everybody or nobody', () => {
    expect(trustedProxies(true)('203.0.113.1')).toBe(true)
    expect(trustedProxies(false)('127.0.0.1')).toBe(false)
  })

  it.each(['10.0.0.0/33', '10.0.0/8', 'proxy.example', '::1/129', '10.0.0.0/8/8', '10.0.0.0/', ','])(
    'refuses %s',
    text => {
      expect(parseTrustProxy(text)).toBeUndefined()
    },
  )
})

describe('URLs', () => {
  it.each(['https://chat.example', 'http://localhost:8031', 'https://example.com/chat'])('takes %s', text => {
    expect(parseOrigin(text)).toBe(text)
  })

  it.each([
    'https://chat.example/',
    'chat.example',
    'ftp://x',
    'https://u:p@x.example',
    'https://x.example?a',
  ])('refuses %s as PUBLIC_URL', text => {
    expect(parseOrigin(text)).toBeUndefined()
  })

  it.each(['https://a.example/', 'https://a.example/x', 'a.example', '*,https://a.example', ''])(
    'refuses %s as ALLOWED_ORIGINS',
    text => {
      expect(parseOrigins(text)).toBeUndefined()
    },
  )
})

it.each(['0', '-1', '1.5', '', 'none', '1e3'])('refuses %j as RATE_LIMIT', text => {
  expect(parseRate(text)).toBeUndefined()
})

describe('files', () => {
  it('FILE_TYPES are types, groups of them, or everything', () => {
    expect(parseFileTypes('image/*, Application/PDF')).toEqual(['image/*', 'application/pdf'])
    expect(parseFileTypes('*')).toEqual(['*'])
    for (const wrong of ['', 'image', '*/*', 'image/', 'image/*,', 'image/png;q=1']) {
      expect(parseFileTypes(wrong), wrong).toBeUndefined()
    }
  })

  it('THUMBNAIL_SIZES are at most 8 sides from 16 to 2048', () => {
    expect(parseSizes('16, 2048')).toEqual([16, 2048])
    for (const wrong of ['', '15', '2049', '320px', '1e2', '20,20,20,20,20,20,20,20,20']) {
      expect(parseSizes(wrong), wrong).toBeUndefined()
    }
  })
})
