import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ChatSystem, createChat, embeddedPresence, parseRoomId, userId } from '@sgs-chat/core'
import { memoryChatHistory, memoryChatLog, memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'
import { Client } from '@stomp/stompjs'
import SockJS from 'sockjs-client'
import { afterEach, describe, expect, it } from 'vitest'
import { dataFolder, ServerProcess, tokenFor } from './server-process.ts'

const README = readFileSync(fileURLToPath(new URL('../../../../README.md', import.meta.url)), 'utf8')

/** The one code block of a language. */
function block(language: string): string {
  const blocks = [...README.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))]
  expect(blocks).toHaveLength(1)
  return blocks[0]?.[1] ?? ''
}

const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...values: unknown[]) => Promise<unknown>

describe('README', () => {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  it('its front-end code connects, subscribes, sends and receives', async () => {
    const folder = dataFolder()
    undo.push(folder.remove)
    const server = await ServerProcess.start(folder.path)
    undo.push(() => server.stop('SIGTERM'))
    const code = block('js').replaceAll('http://localhost:8031', server.url)
    const shown = new Promise<{ chat: { content: string }; position: string }>((resolve, reject) => {
      const show = (chat: { content: string }, position: string): void => resolve({ chat, position })
      const run = new AsyncFunction('Client', 'SockJS', 'token', 'show', `${code}\nreturn client`)
      run(Client, SockJS, tokenFor('alice'), show).then(client => {
        undo.push(() => (client as Client).deactivate())
      }, reject)
    })
    expect(await shown).toMatchObject({ chat: { content: 'hello' }, position: '1:0' })
  })

  it('its embedding code sends and subscribes', async () => {
    const code = `${block('ts')}\nfeed.open()\nreturn { chat, sent }`
    const names = [
      'createChat',
      'log',
      'history',
      'presence',
      'systemClock',
      'systemIds',
      'user',
      'roomId',
      'sink',
      'since',
    ]
    const run = new AsyncFunction(...names, code)
    const seen: string[] = []
    const sink = {
      chat: (chat: { content: string }) => seen.push(chat.content),
      writable: () => true,
      ended: () => {},
    }
    const presence = embeddedPresence({ store: memoryPresenceStore(), clock: systemClock() })
    const result = (await run(
      createChat,
      memoryChatLog(),
      memoryChatHistory(),
      presence,
      systemClock,
      systemIds,
      { userId: userId('alice') },
      parseRoomId(7),
      sink,
      { epoch: 1, seq: -1 },
    )) as { chat: ChatSystem }
    undo.push(() => result.chat.close())
    expect(seen).toEqual(['hello'])
  })
})
