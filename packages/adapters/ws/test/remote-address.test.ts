import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { remoteAddress } from '../src/remote-address.ts'

const trusted = (address: string): boolean => address.startsWith('10.')

function request(remote: string | undefined, forwarded?: string): IncomingMessage {
  return {
    socket: { remoteAddress: remote },
    headers: { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage
}

describe('the address of a client', () => {
  it.each([
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['::ffff:192.0.2.1', undefined, '192.0.2.1'],
    ['2001:db8::1', undefined, '2001:db8::1'],
    [undefined, undefined, ''],
    ['192.0.2.1', '203.0.113.7', '192.0.2.1'],
    ['10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '6.6.6.6, 203.0.113.7,10.0.0.2', '203.0.113.7'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '203.0.113.7, ', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
  ])('T6.5: from %s, forwarded for %j, it is %s', (remote, forwarded, address) => {
    expect(remoteAddress(request(remote, forwarded), trusted)).toBe(address)
  })

  it('T6.5: without trust in anybody the header means nothing', () => {
    expect(remoteAddress(request('10.0.0.1', '203.0.113.7'), undefined)).toBe('10.0.0.1')
  })
})
