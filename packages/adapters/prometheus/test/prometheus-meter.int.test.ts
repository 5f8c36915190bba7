import { describe, expect, it, onTestFinished } from 'vitest'
import { metricsEndpoint, prometheusMeter } from '../src/index.ts'

const lines = (text: string, name: string): string[] => text.split('\n').filter(line => line.startsWith(name))

describe('a meter for Prometheus', () => {
  it('M4: counters, histograms and what is read on looking come out in its text format', async () => {
    const meter = prometheusMeter({ process: false })
    const sends = meter.counter('chat_sends_total', 'Sends.', ['result'])
    sends.with({ result: 'new' }).add(2)
    sends.with({ result: 'new' }).add(1)
    meter.counter('chat_delivered_total', 'Deliveries.').add(5)
    const seconds = meter.histogram('chat_seconds', 'Seconds.', [0.1, 1])
    for (const value of [0.05, 0.5, 5]) seconds.record(value)
    let transports = ['websocket', 'xhr']
    meter.observe({
      name: 'chat_connections',
      help: 'Clients.',
      kind: 'gauge',
      labels: ['transport'],
      read: () => transports.map((transport, index) => ({ labels: { transport }, value: index + 1 })),
    })
    let total = 3
    meter.observe({
      name: 'chat_bytes_total',
      help: 'Bytes.',
      kind: 'counter',
      read: () => [{ labels: {}, value: total }],
    })
    const first = await meter.text()
    expect(lines(first, 'chat_sends_total')).toEqual(['chat_sends_total{result="new"} 3'])
    expect(lines(first, 'chat_delivered_total')).toEqual(['chat_delivered_total 5'])
    expect(lines(first, 'chat_seconds_bucket')).toEqual([
      'chat_seconds_bucket{le="0.1"} 1',
      'chat_seconds_bucket{le="1"} 2',
      'chat_seconds_bucket{le="+Inf"} 3',
    ])
    expect(lines(first, 'chat_connections')).toEqual([
      'chat_connections{transport="websocket"} 1',
      'chat_connections{transport="xhr"} 2',
    ])
    expect(lines(first, 'chat_bytes_total')).toEqual(['chat_bytes_total 3'])
    transports = ['xhr']
    total = 4
    const second = await meter.text()
    expect(lines(second, 'chat_connections')).toEqual(['chat_connections{transport="xhr"} 1'])
    expect(lines(second, 'chat_bytes_total')).toEqual(['chat_bytes_total 4'])
  })

  it('M4: two meters in one process do not mix; a name that is taken twice is refused', async () => {
    const one = prometheusMeter({ process: false })
    const other = prometheusMeter({ process: false })
    one.counter('chat_a_total', 'A.').add(1)
    other.counter('chat_a_total', 'A.').add(2)
    expect(lines(await one.text(), 'chat_a_total')).toEqual(['chat_a_total 1'])
    expect(() => one.counter('chat_a_total', 'A.')).toThrow('already been registered')
    expect(() => one.counter('chat_b_total', 'B.', ['x']).add(1)).toThrow(TypeError)
  })

  it('M5: it is scraped at /metrics of a port of its own, where nothing else is', async () => {
    const meter = prometheusMeter()
    const endpoint = await metricsEndpoint({ meter, host: '127.0.0.1', port: 0 })
    onTestFinished(() => endpoint.close())
    const at = (path: string, init?: RequestInit): Promise<Response> =>
      fetch(`http://127.0.0.1:${endpoint.port}${path}`, init)
    const scraped = await at('/metrics')
    expect(scraped.headers.get('content-type')).toMatch(/^text\/plain; version=/)
    expect(await scraped.text()).toContain('process_resident_memory_bytes')
    expect((await at('/')).status).toBe(404)
    expect((await at('/metrics', { method: 'POST' })).status).toBe(405)
    expect((await at('/metrics', { method: 'HEAD' })).status).toBe(200)
    await expect(metricsEndpoint({ meter, host: '127.0.0.1', port: endpoint.port })).rejects.toThrow(
      'EADDRINUSE',
    )
  })
})
