import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { keptSecret } from '../src/secret-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secret-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('makes a secret once, for its owner alone', async () => {
  const path = join(folder, 'data', 'secret')
  const made = await keptSecret(path)
  expect(made.isNew).toBe(true)
  expect(made.secret).toHaveLength(43)
  expect(await keptSecret(path)).toEqual({ secret: made.secret, isNew: false })
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(join(folder, 'data'))).toEqual(['secret'])
})

it('gives all who ask at once the same one', async () => {
  const asked = await Promise.all(Array.from({ length: 20 }, () => keptSecret(join(folder, 'secret'))))
  expect(new Set(asked.map(({ secret }) => secret)).size).toBe(1)
  expect(asked.filter(({ isNew }) => isNew)).toHaveLength(1)
})

it('refuses a file that holds something else, without telling what', async () => {
  const path = join(folder, 'secret')
  await writeFile(path, 'hunter2')
  const refusal = await keptSecret(path).catch((error: Error) => error.message)
  expect(refusal).toContain(path)
  expect(refusal).not.toContain('hunter2')
})
