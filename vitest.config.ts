import { defineConfig } from 'vitest/config'

/** Packages are tested from their sources, the way the server runs them. */
const conditions = ['@sgs-chat/source']
const resolve = { conditions: [...conditions, 'import', 'node', 'default'] }
const ssr = { resolve: { conditions: [...conditions, 'import', 'node', 'default'] } }

/**
 * A time limit ends what hangs, on the slowest machine too; it says nothing about speed. The level of a test is its suffix: `.test.ts` touches nothing outside its process,
 * `.int.test.ts` uses real files, sockets or servers, `.e2e.test.ts` starts the composed server, `.service.test.ts` needs
 * a server that is not ours (see tools/services), or all of the machine: one file at a time, as they share it;
 * `.browser.test.ts` looks at the page in a real Chromium.
 */
const roots = ['packages/*/test', 'packages/adapters/*/test', 'apps/*/test', 'examples/*/test', 'bench/test']
const files = (suffix: string): string[] => roots.map(root => `${root}/**/*${suffix}`)
const unitExclude = ['.int.test.ts', '.e2e.test.ts', '.service.test.ts', '.browser.test.ts'].flatMap(files)

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          execArgv: ['--expose-gc'],
          include: files('.test.ts'),
          exclude: unitExclude,
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'integration',
          include: files('.int.test.ts'),
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: { name: 'e2e', include: files('.e2e.test.ts'), testTimeout: 120_000, hookTimeout: 60_000 },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'services',
          include: files('.service.test.ts'),
          testTimeout: 180_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'browser',
          include: files('.browser.test.ts'),
          testTimeout: 180_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
