import { recordingMeter } from '@sgs-chat/contract/fakes'
import { describe, expect, it } from 'vitest'
import { ChatWorld } from './chat-world.ts'

describe('what an endpoint counts', () => {
  it('M2: clients by transport, their frames by command, failures by code, ends by reason', async () => {
    const meter = recordingMeter()
    const world = await ChatWorld.create({ meter })
    const client = await world.connected()
    const transport = 'websocket'
    client.subscribe('1', '/topic/7')
    client.frame('SEND', { destination: '/topic/7', receipt: 'r' }, '{}')
    await client.next('ERROR')
    expect(meter.value('chat_connections_opened_total', { transport })).toBe(1)
    expect(meter.value('chat_stomp_frames_total', { command: 'SUBSCRIBE' })).toBe(1)
    expect(meter.value('chat_stomp_frames_total', { command: 'SEND' })).toBe(1)
    expect(meter.value('chat_stomp_errors_total', { code: 'FORBIDDEN' })).toBe(1)
    expect(meter.value('chat_connections_closed_total', { reason: 'forbidden' })).toBe(1)
    expect(meter.value('chat_connections', { transport })).toBe(0)
  })
})
