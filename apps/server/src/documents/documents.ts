import { asyncApiDocument } from './asyncapi.ts'
import { configurationDocument } from './configuration.ts'
import { openApiDocument } from './openapi.ts'

/** The documents that the program itself says, by their file in docs/. */
export async function documents(): Promise<Readonly<Record<string, string>>> {
  return {
    'configuration.md': configurationDocument(),
    'asyncapi.json': json(asyncApiDocument()),
    'openapi.json': json(await openApiDocument()),
  }
}

function json(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}
