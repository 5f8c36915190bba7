/** Holds that dependencies point inward: reads what every package imports and declares. Run by `pnpm check`. */
import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'

type Layer = 'core' | 'contract' | 'adapter' | 'client' | 'page' | 'app'

/** What a layer may import besides its own driver: packages of ours by layer. */
const MAY_IMPORT: Readonly<Record<Layer, readonly Layer[]>> = {
  core: [],
  contract: ['core'],
  adapter: ['core'],
  // It runs in browsers, and talks to the server over the wire alone.
  client: [],
  page: ['client'],
  // One app reads another's settings: the command line tells what the server would do with them.
  app: ['core', 'contract', 'adapter', 'client', 'page', 'app'],
}

interface Package {
  readonly name: string
  readonly folder: string
  readonly layer: Layer
  readonly dependencies: ReadonlySet<string>
}

const root = resolve(import.meta.dirname, '..')

function layerOf(folder: string): Layer {
  if (folder === 'packages/core') return 'core'
  if (folder === 'packages/contract') return 'contract'
  if (folder === 'packages/client') return 'client'
  if (folder === 'apps/web') return 'page'
  return folder.startsWith('packages/adapters/') ? 'adapter' : 'app'
}

function readPackages(): Package[] {
  const manifests = globSync(
    [
      'packages/*/package.json',
      'packages/adapters/*/package.json',
      'apps/*/package.json',
      'examples/*/package.json',
      'bench/package.json',
    ],
    { cwd: root },
  )
  return manifests.map(path => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8'))
    const folder = dirname(path)
    const dependencies = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ])
    return { name: manifest.name, folder, layer: layerOf(folder), dependencies }
  })
}

/** Every module that a source file names, in imports, exports and dynamic imports. */
function importsOf(source: string): string[] {
  const named = /(?:\bfrom\s*|(?<!['"])\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g
  return [...source.matchAll(named)].flatMap(match => (match[2] === undefined ? [] : [match[2]]))
}

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** What is wrong with one import; undefined when nothing is. */
function problemOf(
  specifier: string,
  file: string,
  from: Package,
  packages: readonly Package[],
): string | undefined {
  if (specifier.startsWith('.')) {
    const target = relative(join(root, from.folder), resolve(root, dirname(file), specifier))
    return target.startsWith('..') ? `reaches out of its package: ${specifier}` : undefined
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    if (from.layer === 'client') return `the client runs in browsers: ${specifier}`
    return from.layer === 'core' ? `the core is pure: ${specifier}` : undefined
  }
  const name = packageNameOf(specifier)
  const target = packages.find(candidate => candidate.name === name)
  if (target !== undefined && target !== from && !MAY_IMPORT[from.layer].includes(target.layer)) {
    return `${from.layer} may not import ${target.layer}: ${specifier}`
  }
  if (from.layer === 'core' && target === undefined && name !== 'zod')
    return `the core imports zod and itself: ${specifier}`
  if (/^(?:inversify|@inversifyjs|reflect-metadata)/.test(name) && !from.folder.startsWith('apps/'))
    return `Inversify lives in apps/ only: ${specifier}`
  if (target !== from && !from.dependencies.has(name)) return `is not declared in package.json: ${specifier}`
  return undefined
}

/** Names of the host that the core must not use, even where the types would let it. */
const IMPURE =
  /\b(?:Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|globalThis\.)/

const packages = readPackages()
const problems: string[] = []
let files = 0
for (const from of packages) {
  for (const file of globSync(`${from.folder}/{src,build}/**/*.{ts,tsx}`, { cwd: root })) {
    files += 1
    const source = readFileSync(join(root, file), 'utf8')
    for (const specifier of importsOf(source)) {
      const problem = problemOf(specifier, file, from, packages)
      if (problem !== undefined) problems.push(`${file}: ${problem}`)
    }
    const impure =
      from.layer === 'core' ? IMPURE.exec(source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''))?.[0] : undefined
    if (impure !== undefined) problems.push(`${file}: the core is pure: ${impure}`)
  }
}
for (const problem of problems) console.error(problem)
console.log(`boundaries: ${packages.length} packages, ${files} files, ${problems.length} problems`)
process.exitCode = problems.length === 0 && files > 0 ? 0 : 1
