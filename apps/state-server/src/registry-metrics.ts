import type { Meter, PresenceRegistry } from '@sgs-chat/core'

/** How full the registry is, and what it has turned away for that (SPEC S7). */
export function countRegistry(meter: Meter, registry: PresenceRegistry): void {
  meter.observe({
    name: 'chat_state_server_nodes',
    help: 'Chat nodes with a lease: incarnations, two of a node that was restarted a moment ago.',
    kind: 'gauge',
    labels: [],
    read: () => [{ labels: {}, value: registry.counts.nodes }],
  })
  meter.observe({
    name: 'chat_state_server_sessions',
    help: "Open sessions that peers have told of: chat nodes under a lease, and the original's peers without one.",
    kind: 'gauge',
    labels: ['peer'],
    read: () => {
      const { nodeSessions, originalSessions } = registry.counts
      return [
        { labels: { peer: 'node' }, value: nodeSessions },
        { labels: { peer: 'original' }, value: originalSessions },
      ]
    },
  })
  meter.observe({
    name: 'chat_state_server_refused_total',
    help: 'Nodes and sessions that were turned away, by the limit that they were over.',
    kind: 'counter',
    labels: ['limit'],
    read: () =>
      Object.entries(registry.counts.refused).map(([limit, value]) => ({ labels: { limit }, value })),
  })
}
