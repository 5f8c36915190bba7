import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fileTypeInspector } from '../src/index.ts'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const GIF = Buffer.from('GIF89a\x02\x00\x03\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,', 'latin1')

/** A JPEG's head: EXIF with this orientation, then a frame of 4 × 2. */
function jpeg(orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex')
  tiff.writeUInt16BE(orientation, 18)
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
  const app1 = Buffer.concat([Buffer.from([0xff, 0xe1, 0, exif.length + 2]), exif])
  const frame = Buffer.from('ffc0001108000200040301220002110103110100', 'hex')
  return Buffer.concat([Buffer.from([0xff, 0xd8]), app1, frame, Buffer.from([0xff, 0xd9])])
}

describe('R15: what a file is', () => {
  const inspector = fileTypeInspector()

  it.each([
    ['a PNG', PNG, { contentType: 'image/png', width: 1, height: 1 }],
    ['a GIF', GIF, { contentType: 'image/gif', width: 2, height: 3 }],
    ['a JPEG', jpeg(1), { contentType: 'image/jpeg', width: 4, height: 2 }],
    ['a JPEG on its side', jpeg(6), { contentType: 'image/jpeg', width: 2, height: 4 }],
    ['a PNG without its size', PNG.subarray(0, 12), {}],
    ['a PDF', Buffer.from('%PDF-1.7\n'), { contentType: 'application/pdf' }],
    ['HTML', Buffer.from('<!doctype html><script>1</script>'), { contentType: 'application/octet-stream' }],
    [
      'SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      { contentType: 'application/octet-stream' },
    ],
    ['SVG as XML', Buffer.from('<?xml version="1.0"?><svg/>'), { contentType: 'application/xml' }],
    ['text', Buffer.from('hello'), { contentType: 'application/octet-stream' }],
    ['nothing', new Uint8Array(0), { contentType: 'application/octet-stream' }],
  ])('%s is told by its bytes', async (_what, bytes, traits) => {
    expect(await inspector.inspect(bytes)).toMatchObject(traits)
  })

  it('no bytes make it fail', async () => {
    for (const start of [PNG, GIF, jpeg(3), Buffer.from('RIFF'), Buffer.from('PK\x03\x04')]) {
      for (let cut = 0; cut <= start.length; cut += 3) {
        const sample = Buffer.concat([start.subarray(0, cut), randomBytes(64)])
        expect((await inspector.inspect(sample)).contentType).toMatch(/^\w+\/[\w.+-]+$/)
      }
    }
    expect(inspector.sampleBytes).toBeLessThanOrEqual(131_072)
  })
})
