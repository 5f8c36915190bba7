import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { testServers, tokenFor } from '../../../apps/server/test/e2e/server-process.ts'
import { ChatClient } from '../src/index.ts'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const { cleanups, start } = testServers()

const AsyncFunction = (async () => {}).constructor as new (
  ...names: string[]
) => (...values: unknown[]) => Promise<unknown>

it("README's code connects with a token, sends, and hears what it sent", async () => {
  const { url } = await start()
  const [, code = ''] =
    /```ts\nimport \{ ChatClient \} from '@sgs-chat\/client'\n([\s\S]*?)```/.exec(README) ?? []
  expect(code).toContain('https://chat.example')
  const asked: string[] = []
  const login = async (path: string): Promise<Response> => {
    asked.push(path)
    return new Response(tokenFor('alice'))
  }
  const heard = new Promise<unknown[]>(resolve => {
    const run = new AsyncFunction(
      'ChatClient',
      'fetch',
      'console',
      `${code.replaceAll('https://chat.example', url)}\nreturn client`,
    )
    const said = run(ChatClient, login, {
      log: (...words: unknown[]) => resolve(words),
      warn: expect.unreachable,
    })
    said.then(client => cleanups.push(() => (client as ChatClient).close()), expect.unreachable)
  })
  expect(await heard).toEqual(['alice', 'hello'])
  expect(asked).toEqual(['/login/token?why=connect'])
})
