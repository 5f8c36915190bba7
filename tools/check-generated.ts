/** Holds that the committed code of packages/adapters/grpc/src/generated is what `pnpm generate` makes of its protos. Run by `pnpm check`. */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const folder = resolve(import.meta.dirname, '../packages/adapters/grpc')
const out = 'src/generated'

/** The generated files of a package's folder, by path. */
function filesIn(root: string): Map<string, string> {
  const paths = globSync(`${out}/**/*.ts`, { cwd: root })
  return new Map(paths.map(path => [path, readFileSync(join(root, path), 'utf8')]))
}

const fresh = mkdtempSync(join(tmpdir(), 'sgs-chat-generated-'))
try {
  execFileSync('pnpm', ['run', '--silent', 'generate', '--output', fresh], { cwd: folder, stdio: 'inherit' })
  const [committed, generated] = [filesIn(folder), filesIn(fresh)]
  const paths = new Set([...committed.keys(), ...generated.keys()])
  const drifted = [...paths].filter(path => committed.get(path) !== generated.get(path))
  for (const path of drifted)
    console.error(`packages/adapters/grpc/${path} is not what its proto says: run pnpm generate`)
  console.log(`generated: ${generated.size} files, ${drifted.length} drifted`)
  process.exitCode = drifted.length === 0 && generated.size > 0 ? 0 : 1
} finally {
  rmSync(fresh, { recursive: true })
}
