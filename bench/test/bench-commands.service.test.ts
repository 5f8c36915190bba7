import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SHORT = ['--quick', '--rounds', '1', '--json']

/** That the documented measurements can be made, not what comes out: that wants a machine to itself. */
it.each([
  ['fanout', '--scenario', '100x10-paced', '--only', 'stomp'],
  ['idle', '--clients', '50', '--only', 'stomp'],
  ['pipeline', '--profiles', 'embedded', '--scenario', 'paced'],
  ['presence-link'],
  ['presence-load', '--clients', '200'],
])('pnpm bench %s', async (name, ...options) => {
  const { stdout } = await promisify(execFile)('pnpm', ['-s', 'bench', name, ...SHORT, ...options], {
    cwd: ROOT,
  })
  expect(JSON.parse(stdout)).toMatchObject({ command: expect.stringContaining(name) })
})

/** What it judges, the heap's slope, needs minutes; so it may end with 1 here, after it has printed the same. */
it('pnpm soak', async () => {
  const options = ['--minutes', '0.2', '--json']
  const { stdout } = await promisify(execFile)('pnpm', ['-s', 'soak', ...options], { cwd: ROOT }).catch(
    (error: Error & { readonly code: unknown; readonly stdout: string }) => {
      expect(error.code).toBe(1)
      return error
    },
  )
  expect(JSON.parse(stdout)).toMatchObject({ command: expect.stringContaining('soak') })
})
