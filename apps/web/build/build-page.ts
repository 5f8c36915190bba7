import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { rolldown } from 'rolldown'
import { root } from './page-folder.ts'

/** Bundles the page into `folder`: it is there whole or not at all, however many build it at once. */
export async function buildPage(folder: string): Promise<void> {
  const script = await bundle()
  const style = readFileSync(join(root, 'src/style.css'), 'utf8')
  const names = { script: `app.${hashOf(script)}.js`, style: `style.${hashOf(style)}.css` }
  const html = readFileSync(join(root, 'src/index.html'), 'utf8')
    .replace('%script%', `/web/${names.script}`)
    .replace('%style%', `/web/${names.style}`)
  mkdirSync(dirname(folder), { recursive: true })
  const made = mkdtempSync(`${folder}-`)
  // A temporary folder is its maker's alone; the page is for whoever runs the server.
  chmodSync(made, 0o755)
  writeFileSync(join(made, 'index.html'), html)
  writeFileSync(join(made, names.script), script)
  writeFileSync(join(made, names.style), style)
  writeFileSync(join(made, 'icon.svg'), readFileSync(join(root, 'src/icon.svg')))
  try {
    renameSync(made, folder)
  } catch {
    // Somebody else was faster, with the same page.
    rmSync(made, { recursive: true })
  }
  forgetOthers(folder)
}

async function bundle(): Promise<string> {
  const build = await rolldown({
    input: join(root, 'src/main.tsx'),
    platform: 'browser',
    resolve: { conditionNames: ['@sgs-chat/source', 'import', 'browser', 'default'] },
    transform: { target: 'es2022' },
  })
  const { output } = await build.generate({ format: 'esm', minify: true })
  await build.close()
  return output[0].code
}

/** Pages of older sources; one that is being made has a longer name. */
function forgetOthers(folder: string): void {
  for (const name of readdirSync(dirname(folder))) {
    const isOlder = name.length === basename(folder).length && name !== basename(folder)
    if (isOlder) rmSync(join(dirname(folder), name), { recursive: true, force: true })
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
