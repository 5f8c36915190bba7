import type { Ids } from '../ids.ts'
import type { RoomId } from '../room/room.ts'

/** A link of ours, taken apart. */
export interface AttachmentRef {
  readonly roomId: RoomId
  readonly id: string
  readonly extension: string
}

/** Makes and reads the links that open one file each: `{publicUrl}/chat/files/{roomId}/{id}.{ext}?t=<HMAC>` (SPEC G11.4). */
export interface AttachmentLinks {
  linkTo(attachment: AttachmentRef): string
  /** Whether `ticket` opens exactly this file. */
  opens(attachment: AttachmentRef, ticket: string): boolean
  /** The file that a chat's content names; undefined when it is no link of ours. */
  named(content: string): (AttachmentRef & { readonly ticket: string }) | undefined
}

export interface AttachmentLinksOptions {
  /** Where clients reach this server, without a slash at the end. */
  readonly publicUrl: string
  readonly secret: string
  readonly ids: Ids
}

const PATH =
  /^\/chat\/files\/(0|[1-9]\d{0,15})\/([A-Za-z0-9_-]{16,64})\.([a-z0-9]{1,16})\?t=([A-Za-z0-9_-]{43})$/

export function attachmentLinks({ publicUrl, secret, ids }: AttachmentLinksOptions): AttachmentLinks {
  const ticketFor = ({ roomId, id, extension }: AttachmentRef): string =>
    ids.mac(secret, ['attachment', String(roomId), id, extension])
  return {
    linkTo: ref => `${publicUrl}/chat/files/${ref.roomId}/${ref.id}.${ref.extension}?t=${ticketFor(ref)}`,
    opens: (ref, ticket) => sameText(ticketFor(ref), ticket),
    named(content) {
      if (!content.startsWith(`${publicUrl}/chat/files/`)) return undefined
      const [, room, id, extension, ticket] = PATH.exec(content.slice(publicUrl.length)) ?? []
      if (room === undefined || id === undefined || extension === undefined || ticket === undefined) {
        return { roomId: -1 as RoomId, id: '', extension: '', ticket: '' }
      }
      return { roomId: Number(room) as RoomId, id, extension, ticket }
    },
  }
}

/** Takes the same time wherever the texts differ. */
export function sameText(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length
  for (let index = 0; index < expected.length; index++) {
    difference |= expected.charCodeAt(index) ^ given.charCodeAt(index)
  }
  return difference === 0
}
