import { LinkTraffic } from '@sgs-chat/core'
import { expect, it } from 'vitest'

it('L7: the bytes of a link are those of its sockets, open and closed, each once', () => {
  const traffic = new LinkTraffic()
  const first = { bytesRead: 1, bytesWritten: 10 }
  const second = { bytesRead: 2, bytesWritten: 20 }
  traffic.opened(first)
  traffic.opened(second)
  expect(traffic).toMatchObject({ connections: 2, bytesReceived: 3, bytesSent: 30 })
  first.bytesRead = 100
  expect(traffic.bytesReceived).toBe(102)
  traffic.closed(first)
  traffic.closed(first)
  first.bytesRead = 1_000
  expect(traffic).toMatchObject({ connections: 1, bytesReceived: 102, bytesSent: 30 })
})
