import { manualClock, recordingLogger } from '@sgs-chat/contract/fakes'
import {
  type ChatSystem,
  createChat,
  DEFAULT_LIMITS,
  embeddedPresence,
  parseRoomId,
  userId,
} from '@sgs-chat/core'
import { memoryChatHistory, memoryChatLog, memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'
import { expect, it } from 'vitest'
import { ChatGate } from '../src/chat-gate.ts'
import { Waiting } from '../src/waiting.ts'

const ALICE = { userId: userId('alice') }
const ROOM = parseRoomId(7)
const LOG = { what: 'the log in Kafka', setting: 'KAFKA_BROKERS' }

it('C6: refuses everything with CHAT-034 and what it waits for, until the node is there', async () => {
  const limits = { retryMs: 1, retryMaxMs: 1, listenAfterMs: 1 }
  const waiting = new Waiting({ clock: manualClock(0), logger: recordingLogger(), ...limits })
  const gate = new ChatGate(DEFAULT_LIMITS, waiting)
  expect(gate.status()).toEqual({ state: 'refusing', problems: ['its start'] })
  waiting.note(LOG)
  expect(gate.status()).toEqual({ state: 'refusing', problems: ['the log in Kafka (KAFKA_BROKERS)'] })

  const draft = { roomId: ROOM, messageType: 'TEXT', content: 'x' }
  const refused = {
    code: 'UNAVAILABLE',
    retryable: true,
    details: { waitsFor: expect.stringContaining('Kafka') },
  }
  await expect(gate.send(ALICE, draft)).rejects.toMatchObject(refused)
  await expect(gate.history(ALICE, { kind: 'page' } as never)).rejects.toMatchObject(refused)
  await expect(gate.presence.whoIsIn(ALICE, ROOM)).rejects.toMatchObject(refused)
  expect(() => gate.presence.open(ALICE.userId)).toThrow(expect.objectContaining(refused))
  expect(() => gate.attachments).toThrow(expect.objectContaining(refused))

  await using node: ChatSystem = await createChat({
    log: memoryChatLog(),
    history: memoryChatHistory(),
    presence: embeddedPresence({ store: memoryPresenceStore(), clock: systemClock() }),
    clock: systemClock(),
    ids: systemIds(),
  })
  gate.open(node)
  expect((await gate.send(ALICE, draft)).chat.content).toBe('x')
  // The log is lost later: the node says so, and goes on.
  expect(gate.status().state).toBe('refusing')
  waiting.clear(LOG)
  expect(gate.status()).toEqual({ state: 'ready' })
})
