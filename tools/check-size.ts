/** Holds that the client stays small for a browser: bundles and compresses it as an app would. Run by `pnpm check`. */
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const MAX_BYTES = 20_000

const bundle = await rolldown({
  input: resolve(import.meta.dirname, '../packages/client/src/index.ts'),
  platform: 'browser',
  resolve: { conditionNames: ['@sgs-chat/source', 'import', 'browser', 'default'] },
})
const { output } = await bundle.generate({ format: 'esm', minify: true })
await bundle.close()
const [{ code }] = output
const bytes = gzipSync(code).length
console.log(
  `size: @sgs-chat/client with stompjs ${bytes} bytes gzip (${code.length} minified), at most ${MAX_BYTES}`,
)
process.exitCode = bytes <= MAX_BYTES && output.length === 1 ? 0 : 1
