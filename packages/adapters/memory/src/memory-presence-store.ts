import type {
  CallOptions,
  OriginalState,
  PresenceStore,
  PresentSession,
  RoomId,
  UserId,
} from '@sgs-chat/core'
import { type MemoryFaults, MemoryGate } from './memory-gate.ts'

export interface MemoryPresenceStore extends PresenceStore, MemoryFaults {}

/** A PresenceStore in this process's memory, found by room and by node without a scan. */
export function memoryPresenceStore(): MemoryPresenceStore {
  return new Store()
}

class Store implements MemoryPresenceStore {
  private readonly gate = new MemoryGate('presence store')
  private readonly sessions = new Map<string, PresentSession>()
  private readonly byRoom = new Map<RoomId, Map<string, PresentSession>>()
  private readonly byNode = new Map<string, Map<string, PresentSession>>()
  /** In the order in which they were put last. */
  private readonly byUser = new Map<UserId, Map<string, PresentSession>>()

  async put(session: PresentSession, options?: CallOptions): Promise<void> {
    this.gate.pass(options)
    const kept = this.sessions.get(session.sessionId)
    if (kept !== undefined && kept.number > session.number) return
    if (kept !== undefined) this.forget(kept)
    this.keep(copyOf(session))
  }

  async remove(sessionId: string, options?: CallOptions): Promise<void> {
    this.gate.pass(options)
    const kept = this.sessions.get(sessionId)
    if (kept !== undefined) this.forget(kept)
  }

  async find(sessionId: string, options?: CallOptions): Promise<PresentSession | undefined> {
    this.gate.pass(options)
    return this.sessions.get(sessionId)
  }

  async inRoom(roomId: RoomId, options?: CallOptions): Promise<readonly PresentSession[]> {
    this.gate.pass(options)
    return [...(this.byRoom.get(roomId)?.values() ?? [])]
  }

  async ofNode(node: string, options?: CallOptions): Promise<readonly PresentSession[]> {
    this.gate.pass(options)
    return [...(this.byNode.get(node)?.values() ?? [])]
  }

  async nodes(options?: CallOptions): Promise<readonly string[]> {
    this.gate.pass(options)
    return [...this.byNode.keys()]
  }

  async originalState(userId: UserId, options?: CallOptions): Promise<OriginalState | undefined> {
    this.gate.pass(options)
    const latest = [...(this.byUser.get(userId)?.values() ?? [])].at(-1)
    if (latest === undefined) return undefined
    const { sessionId, rooms } = latest
    return { userId, roomId: rooms[rooms.length - 1] ?? rooms[0], sessionId, studyTime: null }
  }

  async close(): Promise<void> {
    this.gate.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  disconnect(): void {
    this.gate.connect(false)
  }

  reconnect(): void {
    this.gate.connect(true)
  }

  private keep(session: PresentSession): void {
    this.sessions.set(session.sessionId, session)
    addTo(this.byNode, session.node, session)
    addTo(this.byUser, session.userId, session)
    for (const roomId of session.rooms) addTo(this.byRoom, roomId, session)
  }

  private forget(session: PresentSession): void {
    this.sessions.delete(session.sessionId)
    removeFrom(this.byNode, session.node, session.sessionId)
    removeFrom(this.byUser, session.userId, session.sessionId)
    for (const roomId of session.rooms) removeFrom(this.byRoom, roomId, session.sessionId)
  }
}

function copyOf({ sessionId, userId, node, number, rooms }: PresentSession): PresentSession {
  return Object.freeze({ sessionId, userId, node, number, rooms: Object.freeze([...rooms] as const) })
}

function addTo<K>(index: Map<K, Map<string, PresentSession>>, key: K, session: PresentSession): void {
  const found = index.get(key) ?? new Map<string, PresentSession>()
  index.set(key, found)
  found.set(session.sessionId, session)
}

function removeFrom<K>(index: Map<K, Map<string, PresentSession>>, key: K, sessionId: string): void {
  const found = index.get(key)
  found?.delete(sessionId)
  if (found?.size === 0) index.delete(key)
}
