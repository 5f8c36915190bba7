import type { LinkCounters, Meter } from '@sgs-chat/core'

/** What each way in has carried, as the chat nodes' `chat_state_link_…` tell it of the other end. */
export function countLinks(meter: Meter, links: Readonly<Record<'tcp' | 'grpc', LinkCounters>>): void {
  const ends = Object.entries(links)
  meter.observe({
    name: 'chat_state_server_bytes_total',
    help: 'Bytes on the wire between the state server and its peers, counted at the sockets.',
    kind: 'counter',
    labels: ['link', 'direction'],
    read: () =>
      ends.flatMap(([link, { bytesReceived, bytesSent }]) => [
        { labels: { link, direction: 'in' }, value: bytesReceived },
        { labels: { link, direction: 'out' }, value: bytesSent },
      ]),
  })
  meter.observe({
    name: 'chat_state_server_requests_total',
    help: 'Requests to the state server, by how they ended.',
    kind: 'counter',
    labels: ['link', 'result'],
    read: () =>
      ends.flatMap(([link, { requests, failures }]) => [
        { labels: { link, result: 'answered' }, value: requests - failures },
        { labels: { link, result: 'failed' }, value: failures },
      ]),
  })
  meter.observe({
    name: 'chat_state_server_connections',
    help: 'Connections of peers that are open.',
    kind: 'gauge',
    labels: ['link'],
    read: () => ends.map(([link, { connections }]) => ({ labels: { link }, value: connections })),
  })
  meter.observe({
    name: 'chat_state_server_connections_refused_total',
    help: 'Connections that were turned away, because there were MAX_CONNECTIONS already.',
    kind: 'counter',
    labels: ['link'],
    read: () => ends.map(([link, { refused }]) => ({ labels: { link }, value: refused })),
  })
}
