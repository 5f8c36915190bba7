import { open } from 'node:fs/promises'
import { ChatError, type RoomAccess, type RoomAction, type RoomId } from '@sgs-chat/core'

/** Who may do what, by room: `{ "7": { "read": ["alice", "bob"], "write": ["alice"] } }`. */
type Members = Readonly<Record<string, Readonly<Record<RoomAction, readonly string[]>>>>

const MAX_FILE_BYTES = 1_048_576
const TIMEOUT_MS = 1_000

/**
 * An adapter of one's own: room access from a JSON file that somebody else may rewrite at any time. A room that the file
 * does not name is NOT_FOUND; a file that cannot be read within a second, or is no such JSON, lets nobody in (UNAVAILABLE).
 */
export function fileRoomAccess(path: string): RoomAccess {
  return {
    maxAgeMs: 1_000,
    async may(user, action, roomId, options) {
      if (options?.signal?.aborted) throw options.signal.reason
      const room = (await readMembers(path))[String(roomId)]
      if (room === undefined) throw new ChatError('NOT_FOUND', `there is no room ${roomId}`)
      return room[action].includes(user.userId)
    },
  }
}

/** For whoever writes the file. */
export function membersText(rooms: ReadonlyMap<RoomId, Members[string]>): string {
  return JSON.stringify(Object.fromEntries(rooms))
}

async function readMembers(path: string): Promise<Members> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > MAX_FILE_BYTES) throw new Error(`the file is over ${MAX_FILE_BYTES} bytes`)
    return JSON.parse(await file.readFile({ encoding: 'utf8', signal: AbortSignal.timeout(TIMEOUT_MS) }))
  } catch (cause) {
    throw new ChatError('UNAVAILABLE', 'who may enter is not known', {
      cause,
      details: { waitsFor: 'the file of members' },
    })
  }
}
