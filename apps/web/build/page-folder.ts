import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'

/** The package's own folder, from `build/` and from `dist/build/` alike. */
export const root: string = dirname(findPackageJSON(import.meta.url) ?? '')

const client = join(root, '../../packages/client')

/** Where the built page of these very sources lies: another source is another folder, so that no old page is ever shown. */
export function pageFolder(): string {
  const sources = [
    ...globSync('{src/**/*.*,build/*.ts,package.json}', { cwd: root }).map(path => join(root, path)),
    ...globSync('src/**/*.ts', { cwd: client }).map(path => join(client, path)),
  ].sort()
  const hash = createHash('sha256')
  for (const path of sources)
    if (existsSync(path)) hash.update(path.slice(root.length)).update(readFileSync(path))
  return join(root, 'dist/page', hash.digest('hex').slice(0, 16))
}
