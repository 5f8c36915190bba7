import type { ClientError } from '@sgs-chat/client'

/** Something of ours that the room does not show yet. */
export interface PendingItem {
  /** Its clientMessageId: the same for every try. */
  readonly name: string
  readonly content: PendingContent
  readonly createdAt: Date
  readonly state:
    | { readonly phase: 'sending' }
    /** Acknowledged; the chat of that id takes its place as soon as it comes. */
    | { readonly phase: 'stored'; readonly id: string }
    | { readonly phase: 'failed'; readonly error: ClientError }
}

export type PendingContent =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'file'
      readonly file: File
      /** For a picture: shown while it goes up. */
      readonly preview: string | undefined
      readonly sentBytes: number
      readonly abort: AbortController
    }

export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
