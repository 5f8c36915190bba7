import type { Clock } from '../clock.ts'
import { Registry } from './presence-registry.ts'
import type { PresenceStore } from './presence-store.ts'
import type { SessionPresence } from './session-presence.ts'

/**
 * The registry of a single node, in its own process. It lives and dies with its node, so that there is no lease to keep
 * and no picture to compare. Closing it closes the store.
 */
export function embeddedPresence({ store, clock }: { store: PresenceStore; clock: Clock }): SessionPresence {
  const registry = new Registry({ store, clock, leaseMs: Number.POSITIVE_INFINITY })
  const node = registry.ofNode({ id: 'embedded', incarnation: 'this' })
  const close = async (): Promise<void> => {
    await node.close()
    await registry.close()
  }
  return {
    isLeased: false,
    report: (report, options) => node.report(report, options),
    renew: async (_holding, options) => {
      registry.checkOpen(options)
      return 'same'
    },
    snapshot: (page, options) => node.snapshot(page, options),
    whoIsIn: (roomId, options) => node.whoIsIn(roomId, options),
    watch: (roomId, watcher) => node.watch(roomId, watcher),
    close,
    [Symbol.asyncDispose]: close,
  }
}
