import { randomUUID } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type MultipartUpload,
  S3Client,
} from '@aws-sdk/client-s3'
import { useService } from '../../../../tools/services/use-service.ts'
import type { S3Options } from '../src/index.ts'

const service = await useService('s3')

/** Whether there is a server; what is skipped without one was printed. */
export const hasS3 = service !== undefined

/** A bucket of its own, removed with all in it at the end. */
export interface TestBucket extends AsyncDisposable {
  readonly client: S3Client
  readonly options: S3Options & { readonly endpoint: string }
  objects(): Promise<readonly string[]>
  /** Uploads in parts that were begun and neither ended nor removed. */
  uploads(): Promise<readonly MultipartUpload[]>
}

export async function testBucket(): Promise<TestBucket> {
  const env = service?.env ?? {}
  const options = {
    bucket: `sgs-chat-test-${randomUUID()}`,
    endpoint: service?.address ?? '',
    region: env.S3_REGION || 'us-east-1',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
  }
  const { bucket: Bucket, endpoint, region, credentials } = options
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket }))
  const objects = async (): Promise<readonly string[]> => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
    return Contents.flatMap(({ Key }) => Key ?? [])
  }
  const uploads = async (): Promise<readonly MultipartUpload[]> =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []
  return {
    client,
    options,
    objects,
    uploads,
    [Symbol.asyncDispose]: async () => {
      for (const Key of await objects()) await client.send(new DeleteObjectCommand({ Bucket, Key }))
      for (const { Key, UploadId } of await uploads()) {
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
      }
      // A server that keeps objects as files may still have the folders of the rooms.
      await client.send(new DeleteBucketCommand({ Bucket })).catch(() => undefined)
      client.destroy()
    },
  }
}
