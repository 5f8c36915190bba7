import { type ManualClock, manualClock, seededIds } from '@sgs-chat/contract/fakes'
import { type ChatSystem, createChat, embeddedPresence, parseRoomId, type User, userId } from '@sgs-chat/core'
import { type MemoryChatLog, memoryChatHistory, memoryChatLog, memoryPresenceStore } from '@sgs-chat/memory'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WelcomeBot } from '../src/welcome-bot.ts'

const HOUR_MS = 3_600_000
const roomId = parseRoomId(7)
const alice: User = { userId: userId('alice') }
const bot: User = { userId: userId('bot') }

let clock: ManualClock
let log: MemoryChatLog
let chat: ChatSystem
let welcomeBot: WelcomeBot

beforeEach(async () => {
  clock = manualClock()
  const ids = seededIds(1)
  log = memoryChatLog({ clock })
  const presence = embeddedPresence({ store: memoryPresenceStore(), clock })
  chat = await createChat({ log, history: memoryChatHistory(), presence, clock, ids })
  welcomeBot = new WelcomeBot({ chat, clock, bot, roomId, delayMs: 2_000, forgetAfterMs: 24 * HOUR_MS })
  await welcomeBot.start()
})

afterEach(async () => {
  welcomeBot.stop()
  const closing = chat.close()
  await clock.advanceAsync(10_000)
  await closing
})

async function say(content: string): Promise<void> {
  await chat.send(alice, { roomId, messageType: 'TEXT', content })
}

/** What the room holds, oldest first. */
async function contents(): Promise<readonly string[]> {
  const { chats } = await chat.history(alice, { kind: 'latest', roomId, limit: 100 })
  return chats.map(({ content }) => content).reverse()
}

describe('WelcomeBot', () => {
  it('welcomes after its delay, and not before', async () => {
    await say('hello')
    await clock.advanceAsync(1_999)
    expect(await contents()).toEqual(['hello'])
    await clock.advanceAsync(1)
    expect(await contents()).toEqual(['hello', 'Welcome, alice!'])
  })

  it('welcomes once, and again after a day of silence', async () => {
    await say('hello')
    await say('is anybody here?')
    await clock.advanceAsync(HOUR_MS)
    expect(await contents()).toEqual(['hello', 'is anybody here?', 'Welcome, alice!'])
    await clock.advanceAsync(24 * HOUR_MS)
    await say('good morning')
    await clock.advanceAsync(2_000)
    expect((await contents()).slice(-2)).toEqual(['good morning', 'Welcome back, alice!'])
  })

  it('lives through a log that is away', async () => {
    await say('hello')
    log.disconnect()
    await clock.advanceAsync(2_000)
    log.reconnect()
    expect(await contents()).toEqual(['hello'])
    await say('still there?')
    expect(await contents()).toEqual(['hello', 'still there?'])
  })
})
