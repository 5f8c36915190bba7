import { describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { fileOrigins, s3Options } from '../src/engines.ts'

const S3 = { S3_BUCKET: 'chat-files', S3_REGION: 'eu-west-1' }
const [INSIDE, OUTSIDE] = ['http://minio:9000', 'https://files.example']

describe('S3_DELIVERY', () => {
  it.each([
    [{}, ['https://chat-files.s3.eu-west-1.amazonaws.com']],
    [{ S3_DELIVERY: 'stream' }, []],
    [{ S3_ENDPOINT: INSIDE }, []],
    [{ S3_ENDPOINT: INSIDE, S3_DELIVERY: 'direct' }, [INSIDE]],
    [{ S3_ENDPOINT: INSIDE, S3_PUBLIC_ENDPOINT: OUTSIDE }, [OUTSIDE]],
    [{ S3_ENDPOINT: INSIDE, S3_PUBLIC_ENDPOINT: OUTSIDE, S3_DELIVERY: 'stream' }, []],
    [
      { S3_ENDPOINT: INSIDE, S3_DELIVERY: 'direct', S3_PATH_STYLE: 'false' },
      ['http://chat-files.minio:9000'],
    ],
  ])('R6: %j sends browsers to %j', (settings, origins) => {
    const { config } = loadConfig({ ...S3, ...settings })
    expect(fileOrigins(config)).toEqual(origins)
    expect(s3Options(config).direct).toBe(origins.length > 0)
  })

  it('without S3 they are sent nowhere', () => {
    expect(fileOrigins(loadConfig({}).config)).toEqual([])
  })
})
