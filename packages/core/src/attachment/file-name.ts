import { ChatError } from '../error.ts'
import type { Limits } from '../limit/limits.ts'

/** The name without folders and control characters, and the extension it ends in. @throws ChatError TOO_LARGE */
export function fileName(given: string, limits: Limits): { name: string; extension: string } {
  const base = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1)
  const name = base
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .trim()
  if (name.length > limits.maxFileNameLength) {
    throw new ChatError('TOO_LARGE', `a file's name is at most ${limits.maxFileNameLength} characters long`, {
      details: { limit: limits.maxFileNameLength, unit: 'characters' },
    })
  }
  const extension = /\.([A-Za-z0-9]{1,16})$/.exec(name)?.[1]?.toLowerCase() ?? 'bin'
  return { name: name === '' || name === '.' || name === '..' ? `file.${extension}` : name, extension }
}
