import { randomUUID } from 'node:crypto'
import type { Chat, ChatId, RoomId, UserId, Watermark } from '@sgs-chat/core'
import { sqliteChatStore } from '../src/index.ts'

/**
 * A process to be killed: sends without an end, archives what it sent, and prints `id seq` for every chat the log
 * acknowledged, before it sends the next one.
 */
const [, , path = '', senders = '50', keepRecords = '300'] = process.argv
const { log, history } = await sqliteChatStore({ path, keepRecords: Number(keepRecords) })

let watermark: Watermark | undefined
await log.consume({
  async start() {
    watermark = await history.watermark(0)
    return watermark && { ...watermark.position, seq: watermark.position.seq + 1 }
  },
  async batch(_partition, { records }) {
    const chats = records.flatMap(record => (record.kind === 'chat' ? [record.chat] : []))
    const last = chats.at(-1)
    if (last === undefined) return
    await history.save(chats)
    const to = { position: last.position, log: log.identity, fingerprint: last._id, lost: [] }
    if (!(await history.advance(0, watermark, to))) throw new Error('the watermark is another one')
    watermark = to
  },
  async lost() {
    process.stdout.write('LOST\n')
  },
})

async function send(sender: number): Promise<void> {
  for (let count = 0; ; count++) {
    const chat: Chat = {
      _id: randomUUID() as ChatId,
      roomId: (sender % 7) as RoomId,
      senderId: `user-${sender}` as UserId,
      messageType: 'TEXT',
      content: `${sender}/${count} ${'안녕 '.repeat(count % 40)}`,
      createdAt: Date.now(),
    }
    const [position] = await log.append([chat])
    process.stdout.write(`${chat._id} ${position?.seq}\n`)
  }
}

await Promise.all(Array.from({ length: Number(senders) }, (_, sender) => send(sender)))
