import { writeFile } from 'node:fs/promises'
import { documents } from './documents/documents.ts'

/** `pnpm documents`: writes the generated pages of docs/ anew. */
const folder = new URL('../../../docs/', import.meta.url)
for (const [name, text] of Object.entries(await documents())) {
  await writeFile(new URL(name, folder), text)
  console.log(`docs/${name}`)
}
