import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { pageFolder, root } from './page-folder.ts'

/** One file of the page, ready to be sent. */
export interface PageFile {
  readonly contentType: string
  readonly body: Buffer
  readonly gzipped: Buffer
  /** Its path names its content, so that it never changes. */
  readonly isImmutable: boolean
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const BUILD_TIMEOUT_MS = 60_000

/** The page by its paths; built when it is not there yet, in a process of its own, so that a server never loads the bundler. */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = pageFolder()
  if (!existsSync(folder)) await build()
  return new Map(readdirSync(folder).map(name => [pathOf(name), readPageFile(folder, name)]))
}

async function build(): Promise<void> {
  const options = { timeout: BUILD_TIMEOUT_MS, cwd: root }
  await promisify(execFile)(process.execPath, [join(root, 'build/main.ts')], options)
}

function pathOf(name: string): string {
  return name === 'index.html' ? '/' : `/web/${name}`
}

function readPageFile(folder: string, name: string): PageFile {
  const body = readFileSync(join(folder, name))
  return {
    contentType: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
    body,
    gzipped: gzipSync(body),
    isImmutable: /\.[0-9a-f]{12}\./.test(name),
  }
}
