import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Limits } from '../limit/limits.ts'
import type { Logger } from '../logger.ts'
import type { CheckAccess } from '../room/check-access.ts'
import type { AttachmentLinks } from './attachment-links.ts'
import type { AttachmentStore } from './attachment-store.ts'
import type { FileInspector } from './file-inspector.ts'
import type { Pictures } from './pictures.ts'

/** What a node does with files beside keeping them. */
export interface FileRules {
  /** Tells what files are. @default nothing is known: no file is ever shown in place */
  readonly inspector?: FileInspector
  /** Types that are taken, such as `image/*`. @default all: whatever a file is, no browser runs it (SPEC R6) */
  readonly types?: readonly string[]
  /** @default none: pictures are kept as they come, and there are no thumbnails */
  readonly pictures?: Pictures
  /** Whether pictures keep place, camera and author. @default false */
  readonly keepPictureMetadata?: boolean
  /** Sides of the squares that thumbnails fit into, in pixels. @default DEFAULT_THUMBNAIL_SIZES */
  readonly thumbnailSizes?: readonly number[]
}

export const DEFAULT_THUMBNAIL_SIZES: readonly number[] = Object.freeze([160, 320, 640])

/** What the use cases of files stand on. */
export interface AttachmentPorts {
  readonly store: AttachmentStore
  readonly links: AttachmentLinks
  readonly rules: FileRules
  readonly inspector: FileInspector
  readonly checkAccess: CheckAccess
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: Limits
  readonly logger: Logger
}
