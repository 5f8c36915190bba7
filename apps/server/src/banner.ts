import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from './config.ts'
import { usesDevKey } from './keys.ts'
import type { ChatServer } from './server.ts'

/** Whether nothing was ever kept in DATA_DIR. */
export function isFirstStart({ DATA_DIR }: Config): boolean {
  return !existsSync(DATA_DIR)
}

/** What a person needs to know who started the server by hand. */
export function printBanner(config: Config, { address }: ChatServer, isFirst: boolean): void {
  const lines: (readonly [string, string])[] = [
    ['chat', `${address.publicUrl}/`],
    ['API', `${address.publicUrl}/chat-ui.html`],
    ['STOMP', `${address.publicUrl}/chat/connect`],
    ['data', `${resolve(config.DATA_DIR)}${isFirst ? ' (made just now)' : ''}`],
  ]
  // With `run`: `pnpm token` is a command of pnpm's own since pnpm 12, which no script replaces.
  if (usesDevKey(config)) lines.push(['a token', 'pnpm run token --user alice'])
  const text = lines.map(([name, value]) => `  ${name.padEnd(8)} ${value}`).join('\n')
  const warning = usesDevKey(config)
    ? '\nFor development: tokens are signed with a key made in the data folder. Set JWT_SECRET or JWT_PUBLIC_KEY to serve others.\n'
    : ''
  console.log(`\nsgs-chat serves at ${address.host}:${address.port}\n\n${text}\n${warning}`)
}
