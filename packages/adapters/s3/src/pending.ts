import { CopyObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { CallOptions, UploadName } from '@sgs-chat/core'
import type { S3Bucket } from './s3-bucket.ts'
import { isNotFound, isReplaced } from './s3-errors.ts'
import { nameOfKey, PENDING_PREFIX } from './stored-attachment.ts'
import type { ObjectFields } from './upload.ts'

export interface CopyOf {
  readonly key: string
  /** The copy is made only while the object has this ETag. */
  readonly etag: string | undefined
}

/** Copies inside the bucket, under other fields. False when what was to be copied has gone or was replaced. */
export async function copyObject(
  bucket: S3Bucket,
  { key, etag }: CopyOf,
  fields: ObjectFields,
  options: CallOptions,
): Promise<boolean> {
  try {
    await bucket.request(options, (client, abortSignal) =>
      client.send(
        new CopyObjectCommand({
          ...fields,
          CopySource: `${bucket.name}/${key}`,
          ...(etag === undefined ? {} : { CopySourceIfMatch: etag }),
          MetadataDirective: 'REPLACE',
        }),
        { abortSignal },
      ),
    )
    return true
  } catch (cause) {
    if (isNotFound(cause) || isReplaced(cause)) return false
    throw cause
  }
}

/** Pending uploads that came before this moment, page by page. */
export async function* pendingBefore(
  bucket: S3Bucket,
  timeMs: number,
  options: CallOptions,
): AsyncGenerator<UploadName> {
  let token: string | undefined
  do {
    const page = await bucket.request(options, (client, abortSignal) =>
      client.send(
        new ListObjectsV2Command({ Bucket: bucket.name, Prefix: PENDING_PREFIX, ContinuationToken: token }),
        { abortSignal },
      ),
    )
    for (const { Key, LastModified } of page.Contents ?? []) {
      const name = Key === undefined ? undefined : nameOfKey(Key)
      if (name !== undefined && LastModified !== undefined && LastModified.getTime() < timeMs) yield name
    }
    token = page.NextContinuationToken
  } while (token !== undefined)
}
