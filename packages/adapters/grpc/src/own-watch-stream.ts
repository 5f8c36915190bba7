import type { RoomId, RoomWatcher, SessionPresence, WatchEvents, WatchStream } from '@sgs-chat/core'

/** The rooms as this node itself knows them, while the peer is one that cannot tell. */
export function ownWatchStream(own: SessionPresence, events: WatchEvents): WatchStream {
  const watches = new Map<RoomId, Disposable>()
  const unwatch = (roomId: RoomId): void => {
    watches.get(roomId)?.[Symbol.dispose]()
    watches.delete(roomId)
  }
  return {
    watch(roomId) {
      unwatch(roomId)
      const watcher: RoomWatcher = {
        changed: change => events.changed(change),
        stale: () => events.stale(roomId),
      }
      watches.set(roomId, own.watch(roomId, watcher))
    },
    unwatch,
    close() {
      for (const roomId of watches.keys()) unwatch(roomId)
    },
  }
}
