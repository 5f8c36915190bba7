import { recordingMeter } from '@sgs-chat/contract/fakes'
import { describe, expect, it } from 'vitest'
import { serve } from './served.ts'

describe('what the routes count', () => {
  it('M3: answers by route, method and status; a path never becomes a label', async () => {
    const meter = recordingMeter()
    const served = await serve({ meter })
    await served.ask('/chat/history/7')
    await served.ask('/chat/history/8')
    await served.ask('/nowhere/at/all')
    const history = { route: '/chat/history/:roomId', method: 'GET', status: '200' }
    await expect.poll(() => meter.value('chat_http_requests_total', history)).toBe(2)
    await expect
      .poll(() => meter.value('chat_http_requests_total', { route: 'none', method: 'any', status: '404' }))
      .toBe(1)
    expect(meter.recorded('chat_http_request_seconds')).toHaveLength(3)
  })
})
