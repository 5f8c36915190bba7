import {
  type PresenceStoreHarness,
  presenceStoreRules,
  type SessionPresenceHarness,
  sessionPresenceRules,
} from '@sgs-chat/contract'
import { manualClock } from '@sgs-chat/contract/fakes'
import { type PresenceStore, presenceRegistry, type SessionPresence } from '@sgs-chat/core'
import { memoryPresenceStore } from '@sgs-chat/memory'
import { describe } from 'vitest'
import { type Breakage, expectBroken } from './expect-broken.ts'

function over<P extends object>(port: P, changes: Partial<P>): P {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(name in changes ? changes : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function brokenStore(
  what: string,
  caughtBy: readonly string[],
  breaks: (store: PresenceStore) => Partial<PresenceStore>,
): Breakage<PresenceStoreHarness> {
  const create = async (): Promise<PresenceStoreHarness> => {
    const memory = memoryPresenceStore()
    return {
      store: over<PresenceStore>(memory, breaks(memory)),
      breakConnection: async () => memory.disconnect(),
      restoreConnection: async () => memory.reconnect(),
      dispose: () => memory.close(),
    }
  }
  return { what, caughtBy, create }
}

function brokenPresence(
  what: string,
  caughtBy: readonly string[],
  breaks: (presence: SessionPresence) => Partial<SessionPresence>,
): Breakage<SessionPresenceHarness> {
  const create = async (): Promise<SessionPresenceHarness> => {
    const store = memoryPresenceStore()
    const registry = presenceRegistry({ store, clock: manualClock() })
    const open = (id: string): SessionPresence => {
      const presence = registry.ofNode({ id, incarnation: 'a' })
      return over<SessionPresence>(presence, breaks(presence))
    }
    const presence = open('node-1')
    return {
      presence,
      openAnother: async () => open('node-2'),
      breakConnection: async () => store.disconnect(),
      restoreConnection: async () => store.reconnect(),
      dispose: () => registry.close(),
    }
  }
  return { what, caughtBy, create }
}

describe('the PresenceStore suite', () => {
  expectBroken(presenceStoreRules, [
    brokenStore('does not look at the number', ['PS4'], store => ({
      put: async session => {
        await store.remove(session.sessionId)
        await store.put(session)
      },
    })),
    brokenStore('looks at the number, then writes', ['PS5'], store => ({
      put: async session => {
        const kept = (await store.ofNode(session.node)).find(
          ({ sessionId }) => sessionId === session.sessionId,
        )
        if (kept !== undefined && kept.number > session.number) return
        await store.remove(session.sessionId)
        await new Promise(resolve => setTimeout(resolve, 20 - session.number))
        await store.remove(session.sessionId)
        await store.put(session)
      },
    })),
    brokenStore('refuses an equal number', ['PS4'], store => {
      const numbers = new Map<string, number>()
      return {
        put: async session => {
          if ((numbers.get(session.sessionId) ?? -1) >= session.number) return
          numbers.set(session.sessionId, session.number)
          await store.put(session)
        },
      }
    }),
    brokenStore('adds the rooms to those it had', ['PS3', 'PS5'], store => {
      const rooms = new Map<string, Parameters<PresenceStore['put']>[0]['rooms']>()
      return {
        put: async session => {
          const all = [...session.rooms, ...(rooms.get(session.sessionId) ?? [])] as const
          rooms.set(session.sessionId, all)
          await store.put({ ...session, rooms: all })
        },
      }
    }),
    brokenStore('keeps one session of a user', ['PS7'], store => ({
      inRoom: async roomId => [
        ...new Map((await store.inRoom(roomId)).map(session => [session.userId, session])).values(),
      ],
    })),
    brokenStore('rejects the removal of what is not there', ['PS6'], store => {
      const kept = new Set<string>()
      return {
        put: async session => {
          kept.add(session.sessionId)
          await store.put(session)
        },
        remove: async sessionId => {
          if (!kept.delete(sessionId)) throw new Error('not found')
          await store.remove(sessionId)
        },
      }
    }),
    brokenStore('answers the first hundred', ['PS8'], store => ({
      inRoom: async roomId => (await store.inRoom(roomId)).slice(0, 100),
    })),
    brokenStore('knows the nodes that once were', ['PS15'], store => {
      const nodes = new Set<string>()
      return {
        nodes: async options => {
          for (const node of await store.nodes(options)) nodes.add(node)
          return [...nodes]
        },
      }
    }),
    brokenStore(
      'never says who is there to the servers beside it',
      ['PS16', 'PS10', 'PS11', 'PS13', 'PS14'],
      () => ({ originalState: async () => undefined }),
    ),
    brokenStore('says that nobody is there when it is cut off', ['PS11', 'PS13', 'PS14'], store => ({
      inRoom: roomId => store.inRoom(roomId).catch(() => []),
    })),
  ])
})

describe('the SessionPresence suite', () => {
  expectBroken(sessionPresenceRules, [
    brokenPresence('takes reports in the order they come', ['P6', 'P8'], presence => {
      let number = 0
      return { report: report => presence.report({ ...report, number: ++number }) }
    }),
    brokenPresence('counts a session for each report of it', ['P7'], presence => ({
      report: report => presence.report({ ...report, sessionId: `${report.sessionId} ${Math.random()}` }),
    })),
    brokenPresence('answers a user for each session', ['P2'], presence => ({
      whoIsIn: async roomId => {
        const answer = await presence.whoIsIn(roomId)
        const each = answer.users.flatMap(({ userId, sessions }) =>
          Array.from({ length: sessions }, () => ({ userId, sessions: 1 })),
        )
        return { ...answer, users: each }
      },
    })),
    brokenPresence('answers users in any order', ['P3', 'P9'], presence => ({
      whoIsIn: async roomId => {
        const answer = await presence.whoIsIn(roomId)
        return { ...answer, users: answer.users.toReversed() }
      },
    })),
    brokenPresence('keeps only the last room of a session', ['P1'], presence => ({
      report: ({ session, ...report }) =>
        presence.report({
          ...report,
          session:
            session.state === 'present'
              ? { state: 'present', rooms: [session.rooms[session.rooms.length - 1] ?? session.rooms[0]] }
              : session,
        }),
    })),
    brokenPresence('takes connected for gone, for ever', ['P5'], presence => {
      const ended = new Set<string>()
      return {
        report: async report => {
          if (ended.has(report.sessionId)) return
          if (report.session.state !== 'present') ended.add(report.sessionId)
          await presence.report(report)
        },
      }
    }),
    brokenPresence('answers a report that never arrived', ['P12'], presence => ({
      report: report => presence.report(report).catch(() => undefined),
    })),
    brokenPresence('takes a report that it rejected', ['P16'], presence => {
      const taken = new Map<string, number>()
      return {
        report: async report => {
          if ((taken.get(report.sessionId) ?? 0) >= report.number) return
          taken.set(report.sessionId, report.number)
          await presence.report(report)
        },
      }
    }),
    brokenPresence('says that all is well', ['P17'], presence => ({
      renew: async (holding, options) => (await presence.renew(holding, options)) && 'same',
    })),
    brokenPresence('adds a snapshot to what it has', ['P18', 'P19', 'P21', 'P22'], presence => ({
      snapshot: async ({ sessions }, options) => {
        for (const { sessionId, userId, number, rooms } of sessions) {
          await presence.report({ sessionId, userId, number, session: { state: 'present', rooms } }, options)
        }
        await presence.renew({ count: 0, digest: '0'.repeat(16) }, options)
      },
    })),
    brokenPresence('takes each page for the whole', ['P18', 'P21', 'P22'], presence => {
      let snapshotId = 1_000_000
      return {
        snapshot: (page, options) => {
          snapshotId += 1
          return presence.snapshot({ ...page, snapshotId, page: 0, isLast: true }, options)
        },
      }
    }),
    brokenPresence('tells every other change', ['P23'], presence => ({
      watch: (roomId, watcher) => {
        let count = 0
        return presence.watch(roomId, {
          stale: () => watcher.stale(),
          changed: change => {
            count += 1
            if (count % 2 === 1) watcher.changed(change)
          },
        })
      },
    })),
    brokenPresence('tells changes without their versions', ['P23'], presence => ({
      watch: (roomId, watcher) =>
        presence.watch(roomId, {
          stale: () => watcher.stale(),
          changed: change => watcher.changed({ ...change, version: 1 }),
        }),
    })),
    brokenPresence('goes on after dispose', ['P24'], presence => ({
      watch: (roomId, watcher) => {
        presence.watch(roomId, watcher)
        return { [Symbol.dispose]: () => undefined }
      },
    })),
    brokenPresence('does not say that a watch stands', ['P23', 'P24'], presence => ({
      watch: (roomId, watcher) =>
        presence.watch(roomId, { stale: () => undefined, changed: change => watcher.changed(change) }),
    })),
  ])
})
