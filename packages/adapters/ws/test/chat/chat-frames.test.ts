import { describe, expect, it } from 'vitest'
import { sharedFraming } from '../../src/chat/chat-frames.ts'
import type { AckMode, SubscribeRequest } from '../../src/stomp/session-handler.ts'

function subscribe(id: string, ack: AckMode = 'auto'): SubscribeRequest {
  const request = { command: 'SUBSCRIBE', headers: new Map(), body: new Uint8Array() }
  return { ...request, destination: '/topic/7', id, ack }
}

describe('sharedFraming', () => {
  it('W67: subscribers with equal ids, versions and ack modes have one framing between them', () => {
    const framing = sharedFraming('1.2', subscribe('sub-0'))
    expect(sharedFraming('1.2', subscribe('sub-0'))).toBe(framing)
    expect(sharedFraming('1.1', subscribe('sub-0'))).not.toBe(framing)
    expect(sharedFraming('1.2', subscribe('sub-0', 'client'))).not.toBe(framing)
    expect(sharedFraming('1.2', subscribe('sub-1'))).not.toBe(framing)
  })

  it('a framing that was forgotten is made again, and is equal', () => {
    const framing = sharedFraming('1.2', subscribe('first'))
    for (let other = 0; other < 1_024; other++) sharedFraming('1.2', subscribe(`other-${other}`))
    const again = sharedFraming('1.2', subscribe('first'))
    expect(again).not.toBe(framing)
    expect(again).toEqual(framing)
  })
})
