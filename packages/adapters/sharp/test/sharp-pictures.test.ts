import type { PictureSource } from '@sgs-chat/core'
import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { sharpPictures } from '../src/index.ts'

const GPS = { IFD0: { Artist: 'Alice' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '35/1 13/1 58/1' } }

/** A picture whose left half is red and whose right half is blue. */
function halves(width: number, height: number): Sharp {
  const half = { width: width / 2, height, channels: 3 as const, background: 'red' }
  return sharp({ create: { width, height, channels: 3, background: 'blue' } }).composite([
    { input: { create: half }, left: 0, top: 0 },
  ])
}

function sourceOf(bytes: Uint8Array, contentType: string): PictureSource {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000)
  }
  return { contentType, bytes: bytes.length, body: body() }
}

const pictures = sharpPictures()

describe('R14: strip', () => {
  it.each([
    ['image/jpeg', () => halves(40, 20).withExif(GPS).jpeg()],
    ['image/png', () => halves(40, 20).withExif(GPS).png()],
    ['image/webp', () => halves(40, 20).withExif(GPS).webp()],
    ['image/avif', () => halves(40, 20).withExif(GPS).avif()],
  ])('%s loses place and author, and is the same picture', async (type, make) => {
    const given = await make().toBuffer()
    expect((await sharp(given).metadata()).exif?.includes('Alice')).toBe(true)
    const made = await pictures.strip(sourceOf(given, type))
    if (made === undefined) throw new Error('it told something')
    expect(made).toMatchObject({ contentType: type, width: 40, height: 20 })
    const { exif, xmp, iptc, format } = await sharp(made.bytes).metadata()
    expect({ exif, xmp, iptc }).toEqual({})
    expect(type).toContain(format === 'heif' ? 'avif' : format)
    const { data } = await sharp(made.bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
    expect(data[0]).toBeGreaterThan(200)
    expect(data[39 * 3 + 2]).toBeGreaterThan(200)
  })

  it('a picture on its side stands upright afterwards', async () => {
    const given = await halves(40, 20).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const made = await pictures.strip(sourceOf(given, 'image/jpeg'))
    expect(made).toMatchObject({ width: 20, height: 40 })
  })

  it('an animation keeps its frames', async () => {
    const frames = await Promise.all(
      ['red', 'blue'].map(background =>
        sharp({ create: { width: 10, height: 10, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    )
    const given = await sharp(frames, { join: { animated: true } })
      .withExif(GPS)
      .webp()
      .toBuffer()
    const made = await pictures.strip(sourceOf(given, 'image/webp'))
    expect(made).toMatchObject({ width: 10, height: 10 })
    expect((await sharp(made?.bytes).metadata()).pages).toBe(2)
  })

  it('a picture that tells nothing stays as it is', async () => {
    const given = await halves(40, 20).jpeg().toBuffer()
    expect(await pictures.strip(sourceOf(given, 'image/jpeg'))).toBeUndefined()
  })
})

describe('R13: thumbnail', () => {
  it.each([
    [400, 200, 100, 100, 50],
    [200, 400, 100, 50, 100],
    [40, 20, 100, 40, 20],
  ])('%i × %i fits into %i as %i × %i', async (width, height, size, thenWidth, thenHeight) => {
    const given = await halves(width, height).withExif(GPS).png().toBuffer()
    const made = await pictures.thumbnail(sourceOf(given, 'image/png'), size)
    expect(made).toMatchObject({ width: thenWidth, height: thenHeight, contentType: 'image/webp' })
    const { exif, format } = await sharp(made.bytes).metadata()
    expect({ exif, format }).toEqual({ format: 'webp' })
  })

  it('knows the pictures that browsers show, and nothing that they could run', () => {
    const known = ['jpeg', 'png', 'webp', 'avif', 'gif', 'svg+xml', 'heic', 'tiff'].filter(type =>
      pictures.knows(`image/${type}`),
    )
    expect(known).toEqual(['jpeg', 'png', 'webp', 'avif', 'gif'])
  })
})

describe('R13: bounds', () => {
  it('a small file that unfolds into a huge picture is refused before it does', async () => {
    const bomb = await sharp({ create: { width: 5_000, height: 5_000, channels: 3, background: 'red' } })
      .png({ compressionLevel: 9 })
      .toBuffer()
    expect(bomb.length).toBeLessThan(500_000)
    const careful = sharpPictures({ maxPixels: 24_999_999 })
    const refused = careful.thumbnail(sourceOf(bomb, 'image/png'), 100)
    await expect(refused).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR', retryable: false })
    await expect(
      sharpPictures({ maxPixels: 25_000_000 }).thumbnail(sourceOf(bomb, 'image/png'), 100),
    ).resolves.toBeDefined()
  })

  it('a file of the limit is taken, and one byte more is TOO_LARGE', async () => {
    const given = await halves(40, 20).png().toBuffer()
    const exact = sharpPictures({ maxBytes: given.length })
    await expect(exact.thumbnail(sourceOf(given, 'image/png'), 10)).resolves.toBeDefined()
    const less = sharpPictures({ maxBytes: given.length - 1 })
    await expect(less.thumbnail(sourceOf(given, 'image/png'), 10)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  it('bytes that are no picture, or half of one, are FILE_CONVERSION_ERROR', async () => {
    const whole = await halves(400, 200).withExif(GPS).jpeg().toBuffer()
    for (const bytes of [Buffer.from('P'), new Uint8Array(0), whole.subarray(0, whole.length / 2)]) {
      const source = () => sourceOf(bytes, 'image/jpeg')
      await expect(pictures.thumbnail(source(), 10)).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR' })
      await expect(pictures.strip(source())).rejects.toMatchObject({ code: 'FILE_CONVERSION_ERROR' })
    }
  })

  it('so many at once, so many waiting, and one more is refused; one that is aborted waits no more', async () => {
    const given = await halves(40, 20).png().toBuffer()
    const gate = Promise.withResolvers<void>()
    let begun = 0
    const slow = (): PictureSource => {
      async function* body(): AsyncGenerator<Uint8Array> {
        begun += 1
        await gate.promise
        yield given
      }
      return { contentType: 'image/png', bytes: given.length, body: body() }
    }
    const few = sharpPictures({ maxUnderway: 1, maxWaiting: 1 })
    const first = few.thumbnail(slow(), 10)
    const leaving = new AbortController()
    const second = few.thumbnail(slow(), 10, { signal: leaving.signal })
    await expect(few.thumbnail(slow(), 10)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    leaving.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    const third = few.thumbnail(slow(), 10)
    gate.resolve()
    await expect(Promise.all([first, third])).resolves.toHaveLength(2)
    expect(begun).toBe(2)
  })

  it('limits that are none are refused', () => {
    expect(() => sharpPictures({ maxPixels: 0 })).toThrow(RangeError)
  })
})
