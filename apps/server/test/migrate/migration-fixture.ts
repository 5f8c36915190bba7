import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/config.ts'
import type { MigrationRun } from '../../src/migrate/migration-command.ts'

/** A migration as its command runs it, with a signal of the test's own. */
export function migrationRun(
  settings: Readonly<Record<string, string>>,
  run: Partial<Omit<MigrationRun, 'config'>> = {},
): MigrationRun {
  const { config } = loadConfig(settings)
  return {
    config,
    dryRun: false,
    values: {},
    signal: new AbortController().signal,
    tell: () => undefined,
    ...run,
  }
}

export interface CommandEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `pnpm migrate:<name>` to its end, or to the first line that says how far it is: there it is killed (-9). */
export async function migrateCommand(
  name: 'mongo' | 'sqlite',
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  how: 'to its end' | 'killed at its first line' = 'to its end',
): Promise<CommandEnd> {
  const path = fileURLToPath(new URL(`../../src/migrate/${name}.ts`, import.meta.url))
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, ['--conditions=@sgs-chat/source', path, ...args], {
    env: { PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (how === 'killed at its first line') child.stderr.once('data', () => child.kill('SIGKILL'))
  const texts = [child.stdout, child.stderr].map(async stream => {
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    return text
  })
  const code = new Promise<number | null>(resolve => child.once('exit', resolve))
  const [stdout = '', stderr = ''] = await Promise.all(texts)
  return { code: await code, stdout, stderr }
}
