import { DEFAULT_THUMBNAIL_SIZES } from '@sgs-chat/core'
import { DEFAULT_PICTURE_LIMITS, type PictureLimits } from '@sgs-chat/sharp'
import { limitSettings } from './limit-settings.ts'
import { choice, withDefault } from './setting.ts'
import { parseFileTypes, parseSizes } from './setting-values.ts'

export const PICTURE_LIMITS: Readonly<Record<keyof PictureLimits, number>> = DEFAULT_PICTURE_LIMITS

/** What is done with files, wherever they are kept. */
export const fileSettings = {
  FILE_ACCESS: choice(
    'who may open a file: everyone with its link, or members of the room',
    ['link', 'member'],
    'link',
  ),
  FILE_TYPES: withDefault<readonly string[]>(['*'], {
    about: 'types of files that are taken, as their bytes tell; text is application/octet-stream',
    allowed: '* or a comma list such as image/*,application/pdf',
    byDefault: '*',
    parse: parseFileTypes,
  }),
  PICTURE_METADATA: choice(
    'whether pictures keep place, camera and author; to strip one costs some tenths of a second of a core',
    ['strip', 'keep'],
    'strip',
  ),
  THUMBNAIL_SIZES: withDefault<readonly number[]>(DEFAULT_THUMBNAIL_SIZES, {
    about: 'sides of the squares that thumbnails fit into, in pixels',
    allowed: 'a comma list of up to 8 integers from 16 to 2048',
    byDefault: DEFAULT_THUMBNAIL_SIZES.join(','),
    parse: parseSizes,
  }),
  ...limitSettings(
    'PICTURE_',
    {
      maxBytes: "one picture's file while it is worked on",
      maxPixels: 'width × height of a picture that is worked on',
      maxUnderway: 'pictures that are worked on at once',
      maxWaiting: 'pictures that wait to be worked on',
      timeoutMs: 'how long the work on one picture may take',
    },
    PICTURE_LIMITS,
  ),
}
