import type { ChatHistory, Watermark } from '@sgs-chat/core'
import { expect, it } from 'vitest'
import { ALICE, ROOM, TestNode } from './simulation/test-node.ts'

it('G2.3: what another node appends and archives while this one starts is no other log', async () => {
  const node = await TestNode.start()
  await node.sendMany('chat', 3)
  const watermark = async (partition: number): Promise<Watermark | undefined> => {
    await node.chat.send(ALICE, { roomId: ROOM, messageType: 'TEXT', content: 'meanwhile' })
    await node.archive()
    return node.history.watermark(partition)
  }
  const history = new Proxy<ChatHistory>(node.history, {
    get: (target, name) => (name === 'watermark' ? watermark : Reflect.get(target, name)),
  })
  const starting = await TestNode.start({}, { history }, node)
  expect((await node.history.watermark(0))?.position.seq).toBe(3)
  expect(starting.chat.status()).toEqual({ state: 'ready' })
})
