import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testRoomAccess } from '@sgs-chat/contract'
import { parseRoomId, userId } from '@sgs-chat/core'
import { fileRoomAccess, membersText } from '../src/file-room-access.ts'

const ROOM = parseRoomId(7)
const alice = { userId: userId('alice') }
const bob = { userId: userId('bob') }
const MEMBERS = membersText(new Map([[ROOM, { read: ['alice', 'bob'], write: ['alice'] }]]))

testRoomAccess({
  name: 'a file of members',
  create: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'members-'))
    const path = join(folder, 'members.json')
    writeFileSync(path, MEMBERS)
    return {
      access: fileRoomAccess(path),
      allowed: [
        { user: alice, action: 'read', roomId: ROOM },
        { user: alice, action: 'write', roomId: ROOM },
        { user: bob, action: 'read', roomId: ROOM },
      ],
      denied: [{ user: bob, action: 'write', roomId: ROOM }],
      unknownRoom: { user: alice, action: 'read', roomId: parseRoomId(8) },
      breakConnection: async () => rmSync(path),
      restoreConnection: async () => writeFileSync(path, MEMBERS),
      dispose: async () => rmSync(folder, { recursive: true }),
    }
  },
  skip: [{ rule: 'R8', why: 'a local file does not hang' }],
})
