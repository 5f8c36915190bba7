import assert from 'node:assert/strict'
import {
  ChatError,
  type RoomId,
  type SessionPresence,
  type SessionReport,
  type SessionState,
  type SnapshotSession,
  userId,
} from '@sgs-chat/core'
import { freshName } from '../samples.ts'

export const CONNECTED: SessionState = { state: 'connected' }
export const GONE: SessionState = { state: 'gone' }

export function present(room: RoomId, ...rooms: readonly RoomId[]): SessionState {
  return { state: 'present', rooms: [room, ...rooms] }
}

export function reportOf(
  user: string,
  sessionId: string,
  number: number,
  session: SessionState,
): SessionReport {
  return { sessionId, userId: userId(user), number, session }
}

/** A session in a room, as a snapshot names it. */
export function sessionIn(room: RoomId, user = 'alice', number = 1): SnapshotSession {
  return { sessionId: freshName('session'), userId: userId(user), number, rooms: [room] }
}

/** The report that says the same of the session. */
export function reportFor({ sessionId, userId: user, number, rooms }: SnapshotSession): SessionReport {
  return { sessionId, userId: user, number, session: { state: 'present', rooms } }
}

export async function usersIn(presence: SessionPresence, roomId: RoomId): Promise<readonly string[]> {
  const { users } = await presence.whoIsIn(roomId)
  return users.map(user => `${user.userId}×${user.sessions}`)
}

export function assertUnreachable(error: unknown): void {
  assert.ok(ChatError.is(error), `no ChatError: ${String(error)}`)
  assert.ok(error.code === 'UNAVAILABLE' || error.code.startsWith('TCP_'), error.code)
}
