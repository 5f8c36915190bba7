import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { migrateSqlite } from '../../src/migrate/sqlite-migration.ts'
import { dataFolder } from '../e2e/server-process.ts'
import { migrateCommand, migrationRun } from './migration-fixture.ts'

describe.each(['mongo', 'sqlite'] as const)('pnpm migrate:%s', name => {
  it('explains itself, takes no arguments that it does not know, and says which setting is missing', async () => {
    const { path: DATA_DIR, remove } = dataFolder()
    try {
      const [help, wrong, missing] = await Promise.all([
        migrateCommand(name, ['--help']),
        migrateCommand(name, ['--fast']),
        migrateCommand(name, [], { DATA_DIR }),
      ])
      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toMatch(new RegExp(`^Usage: pnpm migrate:${name} .*--dry-run`))
      expect(wrong).toMatchObject({ code: 2, stdout: '' })
      expect(wrong.stderr).toMatch(/--fast.*Usage:/s)
      expect(missing).toMatchObject({ code: 1, stdout: '' })
      expect(missing.stderr).toMatch(name === 'mongo' ? /^MONGODB_URL: / : /^KAFKA_BROKERS: /)
      expect(existsSync(DATA_DIR)).toBe(false)
    } finally {
      remove()
    }
  })
})

describe('pnpm migrate:sqlite', () => {
  it('names DATA_DIR when it holds no file of an embedded server, and makes none', async () => {
    const { path: DATA_DIR, remove } = dataFolder()
    try {
      const settings = {
        KAFKA_BROKERS: '127.0.0.1:1',
        MONGODB_URL: 'mongodb://127.0.0.1:1',
        SINGLE_NODE: 'true',
      }
      await expect(migrateSqlite(migrationRun({ DATA_DIR, ...settings }))).rejects.toThrow(/DATA_DIR/)
      expect(existsSync(DATA_DIR)).toBe(false)
    } finally {
      remove()
    }
  })
})
