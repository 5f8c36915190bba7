import type { Chat } from '@sgs-chat/client'

export interface AttachmentLink {
  readonly url: string
  readonly isPicture: boolean
}

const OURS = /^\/chat\/files\/\d+\/[\w-]+\.(\w+)$/
const SHOWN = new Set(['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif'])

/**
 * The file that a chat is about. The link holds the server's public address; the page asks the server that it came from,
 * which has the same files, and is the only one that it may ask.
 */
export function attachmentOf({ messageType, content }: Chat): AttachmentLink | undefined {
  if (messageType !== 'FILE' && messageType !== 'IMAGE') return undefined
  const link = URL.parse(content)
  const extension = OURS.exec(link?.pathname ?? '')?.[1]
  if (link === null || extension === undefined) return undefined
  return {
    url: `${link.pathname}${link.search}`,
    isPicture: messageType === 'IMAGE' && SHOWN.has(extension),
  }
}

export interface FileFacts {
  readonly name: string
  readonly bytes: number | undefined
}

/** Name and size of a file as the server tells them. */
export async function readFacts(url: string): Promise<FileFacts | undefined> {
  const answer = await fetch(url, { method: 'HEAD' })
  if (!answer.ok) return undefined
  const disposition = answer.headers.get('content-disposition') ?? ''
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1]
  const bytes = Number(answer.headers.get('content-length') ?? Number.NaN)
  return {
    name: encoded === undefined ? (url.split(/[/?]/).at(-2) ?? '') : decodeURIComponent(encoded),
    bytes: Number.isNaN(bytes) ? undefined : bytes,
  }
}

const STEP = 1_024
const UNITS = ['kB', 'MB', 'GB']

export function sizeOf(bytes: number): string {
  if (bytes < STEP) return `${bytes} B`
  let [size, unit] = [bytes / STEP, 0]
  while (size >= STEP && unit < UNITS.length - 1) {
    size /= STEP
    unit += 1
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`
}
