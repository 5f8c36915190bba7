import { type FileInspector, UNKNOWN_TYPE } from '@sgs-chat/core'
import { fileTypeFromBuffer } from 'file-type'
import { imageSize } from 'image-size'

/** The marks of a type lie in the first 4 KiB; the size of a JPEG behind what its camera wrote. */
const SAMPLE_BYTES = 131_072

/** Tells by their first bytes what files are, and how large pictures are; what their senders call them is never believed. */
export function fileTypeInspector(): FileInspector {
  return {
    sampleBytes: SAMPLE_BYTES,
    async inspect(sample) {
      const contentType = await typeOf(sample)
      return { contentType, ...(contentType.startsWith('image/') ? sizeOf(sample) : {}) }
    },
  }
}

async function typeOf(sample: Uint8Array): Promise<string> {
  try {
    const mime = (await fileTypeFromBuffer(sample))?.mime ?? UNKNOWN_TYPE
    // Parameters (`application/ogg; codecs=…`) say nothing that anybody here asks.
    return mime.split(';', 1)[0] ?? UNKNOWN_TYPE
  } catch {
    // A file that begins like one of a kind and is none of it.
    return UNKNOWN_TYPE
  }
}

/** A picture on its side (EXIF orientations 5 to 8) is told as it is shown. */
function sizeOf(sample: Uint8Array): { width?: number; height?: number } {
  try {
    const { width, height, orientation = 1 } = imageSize(sample)
    if (!Number.isSafeInteger(width) || !Number.isSafeInteger(height) || width < 1 || height < 1) return {}
    return orientation >= 5 ? { width: height, height: width } : { width, height }
  } catch {
    return {}
  }
}
