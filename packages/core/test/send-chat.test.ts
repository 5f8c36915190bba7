import { type ChatDraft, SendLane } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { settle } from './simulation/stepped-clock.ts'
import { ALICE, BOB, ROOM, TestNode } from './simulation/test-node.ts'

const draft = (content: string, changes: Partial<ChatDraft> = {}): ChatDraft => ({
  roomId: ROOM,
  messageType: 'TEXT',
  content,
  ...changes,
})

describe('sendChat', () => {
  it('a send is acknowledged with the place that the log gave it, and the sender is the token’s user', async () => {
    const node = await TestNode.start()
    const { chat, position, repeated } = await node.send('hello')
    expect(chat).toMatchObject({
      content: 'hello',
      senderId: 'alice',
      roomId: 0,
      position: { epoch: 1, seq: 0 },
    })
    expect({ position, repeated }).toEqual({ position: { epoch: 1, seq: 0 }, repeated: false })
  })

  it('another sender than the token’s user is refused, and nothing reaches the log', async () => {
    const node = await TestNode.start()
    await expect(node.send('hello', { senderId: 'mallory' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(node.send('hello', { senderId: 'alice' })).resolves.toBeDefined()
    expect(node.log.partitions[0]?.records).toHaveLength(1)
  })

  it('a send that the log refuses is not acknowledged', async () => {
    const node = await TestNode.start()
    node.log.nextAppend = 'rejected'
    await expect(node.send('hello')).rejects.toThrow('the log refused')
  })

  it('G3.3: the same clientMessageId again answers with the first chat and appends nothing', async () => {
    const node = await TestNode.start()
    const first = await node.send('hello', { clientMessageId: 'm1' })
    const again = await node.send('hello', { clientMessageId: 'm1' })
    expect(again).toMatchObject({ repeated: true, position: first.position })
    expect(again.chat).toEqual(first.chat)
    expect(node.log.partitions[0]?.records).toHaveLength(1)
  })

  it('G3.1: a clientMessageId is a name within room and sender only', async () => {
    const node = await TestNode.start()
    const ids = new Set([
      (await node.send('hello', { clientMessageId: 'm1' })).chat._id,
      (await node.send('hello', { clientMessageId: 'm1' }, BOB)).chat._id,
      (await node.send('hello', { clientMessageId: 'm2' })).chat._id,
      (await node.send('hello')).chat._id,
      (await node.send('hello')).chat._id,
    ])
    expect(ids.size).toBe(5)
  })

  it('G3.3: the same clientMessageId with other content is a conflict', async () => {
    const node = await TestNode.start()
    await node.send('hello', { clientMessageId: 'm1' })
    await expect(node.send('goodbye', { clientMessageId: 'm1' })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(node.send('hello', { clientMessageId: 'm1', messageType: 'FILE' })).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })

  it('G3.3: sends of one id at once wait for each other: one record, one chat', async () => {
    const node = await TestNode.start()
    const sends = Promise.all(
      [1, 2, 3].map(() => node.chat.send(ALICE, draft('hello', { clientMessageId: 'm1' }))),
    )
    for (let round = 0; round < 5; round++) {
      await settle()
      node.deliver()
    }
    const positions = (await sends).map(sent => sent.chat.position.seq)
    expect(positions).toEqual([0, 0, 0])
    expect(node.log.partitions[0]?.records).toHaveLength(1)
  })

  it('G3.3: a retry whose first record was archived long ago is found in the history', async () => {
    const node = await TestNode.start({ dedupRecords: 5 })
    const first = await node.send('hello', { clientMessageId: 'm1' })
    await node.sendMany('filler', 10)
    await node.archive()
    const again = await node.send('hello', { clientMessageId: 'm1', retry: true })
    expect(again).toMatchObject({ repeated: true, chat: { _id: first.chat._id, position: first.position } })
    await expect(node.send('bye', { clientMessageId: 'm1', retry: true })).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect((await node.send('new', { clientMessageId: 'm2', retry: true })).repeated).toBe(false)
  })

  it('G3.3: a retry is refused as retryable while held ids and history leave a gap between them', async () => {
    const node = await TestNode.start({ dedupRecords: 5 })
    await node.send('hello', { clientMessageId: 'm1' })
    await node.sendMany('filler', 10)
    await expect(node.send('hello', { clientMessageId: 'm1', retry: true })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      outcome: 'rejected',
    })
  })

  it('G3.3: a retry waits for the follower to pass the head of that moment, in bounded time', async () => {
    const node = await TestNode.start()
    node.log.nextAppend = 'lost-answer'
    await expect(node.chat.send(ALICE, draft('hello', { clientMessageId: 'm1' }))).rejects.toThrow(
      'answer was lost',
    )
    const tooEarly = node.chat.send(ALICE, draft('hello', { clientMessageId: 'm1', retry: true }))
    const refused = expect(tooEarly).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await node.clock.advance(200)
    await refused
    node.deliver()
    const again = await node.send('hello', { clientMessageId: 'm1', retry: true })
    expect(again).toMatchObject({ repeated: true, position: { epoch: 1, seq: 0 } })
  })

  it('G7.1: a batch is of one room, all of it in order', async () => {
    const node = await TestNode.start()
    const sending = node.chat.sendAll(
      ALICE,
      ['a', 'b', 'c'].map(content => draft(content)),
    )
    await settle()
    node.deliver()
    expect((await sending).map(sent => [sent.chat.content, sent.position.seq])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ])
    const twoRooms = [draft('a'), { ...draft('b'), roomId: 1 as typeof ROOM }]
    await expect(node.chat.sendAll(ALICE, twoRooms)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    await expect(node.chat.sendAll(ALICE, [])).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    expect(node.log.partitions[0]?.records).toHaveLength(3)
  })

  it('G7.1: a batch that the log refuses is refused whole', async () => {
    const node = await TestNode.start()
    node.log.nextAppend = 'rejected'
    await expect(node.chat.sendAll(ALICE, [draft('a'), draft('b')])).rejects.toThrow('the log refused')
    expect(node.log.partitions[0]?.records).toHaveLength(0)
  })

  it('one name twice in a batch is one chat; with two contents it is a conflict', async () => {
    const node = await TestNode.start()
    const named = (content: string): ChatDraft => draft(content, { clientMessageId: 'm1' })
    const sent = await node.chat.sendAll(ALICE, [named('a'), draft('b'), named('a')])
    expect(sent.map(one => one.position.seq)).toEqual([0, 1, 0])
    const conflict = node.chat.sendAll(ALICE, [
      draft('a', { clientMessageId: 'm2' }),
      draft('b', { clientMessageId: 'm2' }),
    ])
    await expect(conflict).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('a batch is taken up to its limit, and refused one chat above', async () => {
    const node = await TestNode.start({ maxBatchChats: 3 })
    const chats = [1, 2, 3, 4].map(number => draft(`chat ${number}`))
    await expect(node.chat.sendAll(ALICE, chats)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(node.chat.sendAll(ALICE, chats.slice(1))).resolves.toHaveLength(3)
  })

  it('sends that wait for the log are taken up to their limit, and refused as retryable above', async () => {
    const node = await TestNode.start({ maxPendingSends: 2 })
    const append = node.log.append.bind(node.log)
    let answer: () => void = () => {}
    const held = new Promise<void>(resolve => {
      answer = resolve
    })
    node.log.append = async chats => {
      await held
      return append(chats)
    }
    const sends = [node.chat.send(ALICE, draft('a')), node.chat.send(ALICE, draft('b'))]
    await settle()
    await expect(node.chat.send(ALICE, draft('c'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    })
    answer()
    expect(await Promise.all(sends)).toHaveLength(2)
    await expect(node.chat.send(ALICE, draft('d'))).resolves.toBeDefined()
  })

  it('G7.2: sends of one lane reach the log in the order of their calls, slow look-ups or not', async () => {
    const node = await TestNode.start({ dedupRecords: 5 })
    await node.sendMany('filler', 10)
    await node.archive()
    node.history.isHeld = true
    const lane = new SendLane()
    const slow = node.chat.send(ALICE, draft('first', { clientMessageId: 'm1', retry: true }), { lane })
    const quick = node.chat.send(ALICE, draft('second'), { lane })
    await settle()
    expect(node.log.partitions[0]?.records).toHaveLength(10)
    node.history.release()
    expect([(await slow).position.seq, (await quick).position.seq]).toEqual([10, 11])
  })

  it('G7.2: a send that fails does not hold up the sends behind it in its lane', async () => {
    const node = await TestNode.start()
    const lane = new SendLane()
    const bad = node.chat.send(ALICE, draft('x', { senderId: 'mallory' }), { lane })
    await expect(bad).rejects.toMatchObject({ code: 'FORBIDDEN' })
    node.log.nextAppend = 'rejected'
    await expect(node.chat.send(ALICE, draft('x'), { lane })).rejects.toThrow('the log refused')
    await expect(node.chat.send(ALICE, draft('y'), { lane })).resolves.toMatchObject({ position: { seq: 0 } })
  })

  it('a node that stops refuses new sends as retryable elsewhere, and finishes those under way', async () => {
    const node = await TestNode.start()
    const under = node.chat.send(ALICE, draft('under way'))
    await settle()
    const closing = node.chat.close()
    await expect(node.chat.send(ALICE, draft('late'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    })
    await expect(under).resolves.toBeDefined()
    node.deliver()
    await node.archive()
    await node.clock.advance(20_000)
    await closing
    expect(node.chat.status()).toEqual({ state: 'closed' })
  })
})
