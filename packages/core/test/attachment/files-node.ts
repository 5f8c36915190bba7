import type {
  AttachmentOptions,
  Attachments,
  CreateChatOptions,
  FileInspector,
  Limits,
  RoomAccess,
} from '@sgs-chat/core'
import { ROOM, TestNode } from '../simulation/test-node.ts'
import { PlainAttachmentStore } from './plain-attachment-store.ts'

export const PUBLIC_URL = 'https://chat.example'

/** Ids in the shapes that links are made of. */
let made = 0
const ids: CreateChatOptions['ids'] = {
  next: () => `id-${made++}`,
  random: () => `file${String(made++).padStart(18, '0')}`,
  hash: parts => parts.join('_').padEnd(20, '-'),
  mac: (secret, parts) => {
    let sum = 7
    for (const unit of [secret, ...parts].join('|')) sum = (sum * 31 + (unit.codePointAt(0) ?? 0)) % 1e15
    return String(sum).padStart(43, 'x')
  },
}

/** Calls a picture what begins with P, of 2 × 1 pixels, and a text what begins with anything else. */
const firstLetter: FileInspector = {
  sampleBytes: 1,
  inspect: async ([first]) =>
    first === 80 ? { contentType: 'image/png', width: 2, height: 1 } : { contentType: 'text/plain' },
}

export interface FilesNode {
  readonly node: TestNode
  readonly store: PlainAttachmentStore
  readonly files: Attachments
}

export async function nodeWithFiles(
  limits: Partial<Limits> = {},
  options: Partial<AttachmentOptions> = {},
  from?: FilesNode,
  access?: RoomAccess,
): Promise<FilesNode> {
  const store = from?.store ?? new PlainAttachmentStore()
  const attachments = { store, publicUrl: PUBLIC_URL, secret: 's3cret', inspector: firstLetter, ...options }
  const node = await TestNode.start(limits, { ids, attachments, ...(access && { access }) }, from?.node)
  store.nowMs = () => node.clock.nowMs()
  const files = node.chat.attachments
  if (files === undefined) throw new Error('files are on')
  return { node, store, files }
}

export async function* bodyOf(...chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new TextEncoder().encode(chunk)
}

export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  return (await Array.fromAsync(body)).map(chunk => new TextDecoder().decode(chunk)).join('')
}

export const upload = (name: string, ...chunks: readonly string[]) => ({ name, body: bodyOf(...chunks) })
export const draft = { roomId: ROOM, messageType: 'FILE' }
