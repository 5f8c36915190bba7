/**
 * Holds that every package can be published as it is: packs each, lets publint and Are The Types Wrong look at the
 * tarball, compares its public names with the committed list in docs/api, compiles the examples against the tarballs
 * alone, and chats with them in plain Node, without TypeScript. Needs a build; run by `.ci/run`.
 *
 *   node tools/check-packages.ts           checks
 *   node tools/check-packages.ts --write   writes the lists of docs/api anew
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
}

interface Packed {
  readonly folder: string
  readonly manifest: Manifest
  readonly tarball: string
}

const root = resolve(import.meta.dirname, '..')
const packs = join(root, 'artefacts', 'packages')
const problems: string[] = []
const write = process.argv.includes('--write')

function pack(folder: string): Packed[] {
  const manifest = readManifest(folder)
  if (manifest.private === true) return []
  const tarball = join(packs, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`)
  execFileSync('pnpm', ['pack', '--pack-destination', packs], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return [{ folder, manifest, tarball }]
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

/** The names that a package gives, by entry; its `index.ts` is an explicit list. */
function publicNames({ folder, manifest }: Packed): string {
  const entries = Object.entries(manifest.exports).map(([entry, targets]) => {
    const source = readFileSync(join(folder, targets['@sgs-chat/source'] ?? ''), 'utf8')
    const names = [...source.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, all, list = '']) =>
      list
        .split(',')
        .map(name => name.trim())
        .filter(name => name !== '')
        .map(name => (all !== undefined && !name.startsWith('type ') ? `type ${name}` : name)),
    )
    const direct = [
      ...source.matchAll(/^export (?:async )?(function|const|class|interface|type) (\w+)/gm),
    ].map(([, kind, name]) => (kind === 'interface' || kind === 'type' ? `type ${name}` : `${name}`))
    const sorted = [...names, ...direct].toSorted((a, b) => bare(a).localeCompare(bare(b)))
    return [`${manifest.name}${entry.slice(1)}`, ...sorted.map(name => `  ${name}`)].join('\n')
  })
  return `${entries.join('\n\n')}\n`
}

const bare = (name: string): string => name.replace(/^type /, '')

function checkNames(packed: Packed): void {
  const list = join(root, 'docs', 'api', `${basename(packed.folder)}.txt`)
  const names = publicNames(packed)
  if (write) {
    mkdirSync(dirname(list), { recursive: true })
    writeFileSync(list, names)
  } else if (!existsSync(list) || readFileSync(list, 'utf8') !== names) {
    problems.push(
      `${packed.manifest.name}: its public names are not those of docs/api/${basename(list)} (--write)`,
    )
  }
}

async function checkTarball({ folder, manifest, tarball }: Packed): Promise<void> {
  if (!existsSync(join(folder, 'README.md'))) problems.push(`${manifest.name}: has no README.md`)
  const data = readFileSync(tarball)
  const { messages, pkg } = await publint({
    pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer },
    level: 'warning',
    strict: true,
  })
  for (const message of messages)
    problems.push(`${manifest.name}: ${formatMessage(message, pkg, { color: false })}`)
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(data)))
  if (analysis.types === false) {
    problems.push(`${manifest.name}: has no types`)
    return
  }
  for (const problem of analysis.problems) {
    // Everything here is ESM: who still resolves as CommonJS gets Node's require(esm), which these kinds do not know.
    const isOfCommonJs = 'resolutionKind' in problem && /^node(10|16-cjs)$/.test(problem.resolutionKind)
    if (!isOfCommonJs && problem.kind !== 'CJSResolvesToESM')
      problems.push(`${manifest.name}: ${problem.kind}`)
  }
}

const EXAMPLES = ['embed', 'unit-test', 'custom-adapter']
/** It has what a chat in memory needs. */
const EXAMPLE_WITH_MEMORY = 'embed'

/** An example as somebody else's project would hold it: its sources, the tarballs, and nothing of this workspace. */
function compileExamples(packed: readonly Packed[]): void {
  const tarballs = Object.fromEntries(
    packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]),
  )
  for (const name of EXAMPLES) {
    const from = join(root, 'examples', name)
    const folder = mkdtempSync(join(tmpdir(), `sgs-chat-${name}-`))
    try {
      for (const part of ['src', 'test']) {
        if (existsSync(join(from, part))) cpSync(join(from, part), join(folder, part), { recursive: true })
      }
      writeProject(from, folder, tarballs)
      execFileSync('pnpm', ['install', '--prefer-offline', '--no-frozen-lockfile'], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      execFileSync('pnpm', ['exec', 'tsc', '-p', '.'], { cwd: folder, stdio: 'inherit' })
      process.stdout.write(`examples/${name} compiles against the tarballs\n`)
      if (name === EXAMPLE_WITH_MEMORY) chatInPlainNode(folder)
    } catch {
      problems.push(`examples/${name} does not compile or run against the tarballs: see above`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
}

/** What somebody writes who has no TypeScript: a chat is sent, and comes. */
const PLAIN_SCRIPT = `
import assert from 'node:assert/strict'
import { createChat, embeddedPresence, parseRoomId, userId } from '@sgs-chat/core'
import { memoryChatHistory, memoryChatLog, memoryPresenceStore } from '@sgs-chat/memory'
import { systemClock, systemIds } from '@sgs-chat/node'

const clock = systemClock()
const presence = embeddedPresence({ store: memoryPresenceStore(), clock })
const parts = { log: memoryChatLog(), history: memoryChatHistory(), presence, clock, ids: systemIds() }
const chat = await createChat(parts)
const alice = { userId: userId('alice') }
const roomId = parseRoomId(7)
const seen = []
const sink = { chat: ({ content }) => seen.push(content), writable: () => true, ended: () => {} }
await chat.send(alice, { roomId, messageType: 'TEXT', content: 'hello' })
const feed = await chat.subscribe(alice, roomId, sink, { since: { epoch: 1, seq: -1 } })
feed.open()
assert.deepEqual(seen, ['hello'])
await chat.close()
`

function chatInPlainNode(folder: string): void {
  writeFileSync(join(folder, 'chat.mjs'), PLAIN_SCRIPT)
  execFileSync(process.execPath, ['chat.mjs'], { cwd: folder, stdio: 'inherit' })
  process.stdout.write('a plain script chats with the tarballs\n')
}

function writeProject(from: string, folder: string, tarballs: Readonly<Record<string, string>>): void {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    readFileSync(join(from, 'package.json'), 'utf8'),
  )
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const versionOf = (name: string, range: string): string => {
    if (range === 'catalog:') return new RegExp(`^ +"?${name}"?: (\\S+)$`, 'm').exec(catalog)?.[1] ?? 'latest'
    return tarballs[name] ?? range
  }
  const all: Record<string, string> = {
    typescript: 'catalog:',
    vitest: 'catalog:',
    ...dependencies,
    ...devDependencies,
  }
  const resolved = Object.fromEntries(
    Object.entries(all).map(([name, range]) => [name, versionOf(name, range)]),
  )
  const manifest = { name: 'somebody-elses', private: true, type: 'module', dependencies: resolved }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  const overrides = Object.entries(tarballs).map(([name, at]) => `  '${name}': '${at}'`)
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), `overrides:\n${overrides.join('\n')}\nallowBuilds: {}\n`)
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8'))
  const { customConditions: _own, composite: _composite, ...options } = compilerOptions
  const tsconfig = {
    compilerOptions: {
      ...options,
      isolatedDeclarations: false,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
    },
    include: ['src', 'test'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
}

rmSync(packs, { recursive: true, force: true })
mkdirSync(packs, { recursive: true })
const packed = globSync(['packages/*/package.json', 'packages/adapters/*/package.json'], {
  cwd: root,
}).flatMap(path => pack(join(root, dirname(path))))
for (const one of packed) {
  checkNames(one)
  await checkTarball(one)
}
compileExamples(packed)
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.stdout.write(`packages: ${packed.length} packed, ${problems.length} problems\n`)
process.exitCode = problems.length === 0 ? 0 : 1
