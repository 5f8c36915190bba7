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
])('pnpm bench %s', async (name, ...options) => {
  const { stdout } = await promisify(execFile)('pnpm', ['-s', 'bench', name, ...SHORT, ...options], {
    cwd: ROOT,
  })
  expect(JSON.parse(stdout)).toMatchObject({ command: expect.stringContaining(name) })
})
