import { ChatError, type MadePicture, type PictureSource, type Pictures } from '@sgs-chat/core'
import sharp, { type Sharp } from 'sharp'
import { type PictureLimits, withDefaultPictureLimits } from './picture-limits.ts'
import { Turns } from './turns.ts'

export type SharpPicturesOptions = Partial<PictureLimits>

type Format = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif'

/** The types that libvips's prebuilt library reads and that browsers show; HEIC is not among them. */
const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['image/jpeg', 'jpeg'],
  ['image/png', 'png'],
  ['image/webp', 'webp'],
  ['image/avif', 'avif'],
  ['image/gif', 'gif'],
])

/** Of a photo that is written anew: what is lost is not seen. */
const QUALITY = { jpeg: 92, webp: 92, avif: 70, thumbnail: 80 }

/**
 * Pictures by sharp (libvips).
 * @throws RangeError for a limit that is not an integer ≥ 1
 */
export function sharpPictures(options: SharpPicturesOptions = {}): Pictures {
  const limits = withDefaultPictureLimits(options)
  const turns = new Turns({ max: limits.maxUnderway, maxWaiting: limits.maxWaiting })
  return {
    knows: contentType => FORMATS.has(contentType),
    strip: (source, options) => turns.run(() => strip(source, limits), options),
    thumbnail: (source, size, options) => turns.run(() => thumbnail(source, size, limits), options),
  }
}

async function strip(source: PictureSource, limits: PictureLimits): Promise<MadePicture | undefined> {
  const format = formatOf(source)
  const file = await read(source, limits)
  const { exif, xmp, iptc } = await decoded(() => open(file, limits).metadata())
  if (exif === undefined && xmp === undefined && iptc === undefined) return undefined
  // Turned as EXIF says, since that goes too; the colours' profile stays.
  const anew = (): Sharp =>
    writeAs(open(file, limits, { animated: true }).autoOrient().keepIccProfile(), format)
  return make(anew, source.contentType, format === 'jpeg' ? 'jpg' : format, limits)
}

function writeAs(picture: Sharp, format: Format): Sharp {
  switch (format) {
    case 'jpeg':
      return picture.jpeg({ quality: QUALITY.jpeg })
    case 'png':
      return picture.png()
    case 'webp':
      return picture.webp({ quality: QUALITY.webp })
    case 'avif':
      return picture.avif({ quality: QUALITY.avif, effort: 2 })
    case 'gif':
      return picture.gif()
  }
}

async function thumbnail(source: PictureSource, size: number, limits: PictureLimits): Promise<MadePicture> {
  formatOf(source)
  const file = await read(source, limits)
  const small = (): Sharp =>
    open(file, limits)
      .autoOrient()
      .resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: QUALITY.thumbnail })
  return make(small, 'image/webp', 'webp', limits)
}

/** A damaged picture is an error here, although its first lines could be shown. */
function open(
  file: Uint8Array,
  { maxPixels }: PictureLimits,
  { animated = false }: { readonly animated?: boolean } = {},
): Sharp {
  return sharp(file, { limitInputPixels: maxPixels, failOn: 'error', animated })
}

async function make(
  picture: () => Sharp,
  contentType: string,
  extension: string,
  { timeoutMs }: PictureLimits,
): Promise<MadePicture> {
  const seconds = Math.ceil(timeoutMs / 1_000)
  const { data, info } = await decoded(() =>
    picture().timeout({ seconds }).toBuffer({ resolveWithObject: true }),
  )
  return { bytes: data, contentType, extension, width: info.width, height: info.pageHeight ?? info.height }
}

function formatOf({ contentType }: PictureSource): Format {
  const format = FORMATS.get(contentType)
  if (format !== undefined) return format
  throw new ChatError('FILE_CONVERSION_ERROR', 'the file is no picture of a known type')
}

async function read({ body }: PictureSource, { maxBytes }: PictureLimits): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      throw new ChatError('TOO_LARGE', `a picture has at most ${maxBytes} bytes`, {
        details: { limit: maxBytes, unit: 'bytes' },
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Whatever the library says about a picture, it is the picture that is at fault. */
async function decoded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new ChatError('FILE_CONVERSION_ERROR', 'the picture is damaged, too large or takes too long', {
      cause,
    })
  }
}
