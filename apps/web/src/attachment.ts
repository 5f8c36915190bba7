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
    url: `${location.origin}${link.pathname}${link.search}`,
    isPicture: messageType === 'IMAGE' && SHOWN.has(extension),
  }
}

/** Saves a file: the browser fetches it itself where the link alone opens it, else it is fetched with the token. */
export async function saveFile(
  url: string,
  read: (url: string) => Promise<{ name: string; content: Blob }>,
): Promise<void> {
  const opens = await fetch(url, { method: 'HEAD' })
  if (opens.ok) {
    save(url, '')
    return
  }
  const { name, content } = await read(url)
  const blob = URL.createObjectURL(content)
  save(blob, name)
  setTimeout(() => URL.revokeObjectURL(blob), KEEP_MS)
}

/** A download takes its bytes some time after the click. */
const KEEP_MS = 60_000

function save(url: string, name: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
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
