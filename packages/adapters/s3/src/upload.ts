import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { CancelSignal } from '@sgs-chat/core'
import type { BodyPart, BodyParts } from './body-parts.ts'
import type { S3Bucket, S3Options } from './s3-bucket.ts'
import { isNoSuchUpload, isRefused } from './s3-errors.ts'
import { nameOfKey } from './stored-attachment.ts'

/** What an object is made with, beside its bytes. */
export interface ObjectFields {
  readonly Bucket: string
  readonly Key: string
  readonly ContentType: string
  readonly Metadata: Record<string, string>
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms'
  readonly SSEKMSKeyId?: string
}

export function encryptionFields({
  sse,
}: Pick<S3Options, 'sse'>): Pick<ObjectFields, 'ServerSideEncryption' | 'SSEKMSKeyId'> {
  if (sse === undefined) return {}
  if (sse === 'AES256') return { ServerSideEncryption: sse }
  return { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: sse.kmsKeyId }
}

/**
 * Writes an object whole or not at all: one request when it fits into a part, else an upload in parts. When this
 * rejects, what was begun has been removed, also when the signal ended it: the removal does not listen to it.
 */
export async function uploadObject(
  bucket: S3Bucket,
  fields: ObjectFields,
  parts: BodyParts,
  signal: CancelSignal,
): Promise<void> {
  const first = await parts.next()
  if (first.isLast) await putObject(bucket, fields, first, signal)
  else await putInParts(bucket, fields, first, parts, signal)
}

async function putObject(
  bucket: S3Bucket,
  fields: ObjectFields,
  { bytes }: BodyPart,
  signal: CancelSignal,
): Promise<void> {
  try {
    await bucket.request({ signal }, (client, abortSignal) =>
      client.send(new PutObjectCommand({ ...fields, Body: bytes, ContentLength: bytes.length }), {
        abortSignal,
      }),
    )
  } catch (cause) {
    if (!isRefused(cause)) await removeObject(bucket, fields)
    throw cause
  }
}

async function putInParts(
  bucket: S3Bucket,
  fields: ObjectFields,
  first: BodyPart,
  parts: BodyParts,
  signal: CancelSignal,
): Promise<void> {
  const { UploadId } = await bucket.request({ signal }, (client, abortSignal) =>
    client.send(new CreateMultipartUploadCommand(fields), { abortSignal }),
  )
  const { Bucket, Key } = fields
  const upload = { Bucket, Key, UploadId }
  try {
    const done: { ETag: string | undefined; PartNumber: number }[] = []
    for (let part = first; part.bytes.length > 0; part = await parts.next()) {
      const { bytes } = part
      const PartNumber = done.length + 1
      const { ETag } = await bucket.request({ signal }, (client, abortSignal) =>
        client.send(
          new UploadPartCommand({ ...upload, PartNumber, Body: bytes, ContentLength: bytes.length }),
          { abortSignal },
        ),
      )
      done.push({ ETag, PartNumber })
      if (part.isLast) break
    }
    await bucket.request({ signal }, (client, abortSignal) =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: done } }), {
        abortSignal,
      }),
    )
  } catch (cause) {
    await removeUpload(bucket, upload)
    throw cause
  }
}

type UploadName = Pick<ObjectFields, 'Bucket' | 'Key'> & { readonly UploadId: string | undefined }

/** What cannot be removed now is removed by a later start: see `removeAbandoned`. */
async function removeUpload(bucket: S3Bucket, upload: UploadName): Promise<void> {
  try {
    await bucket.request({}, (client, abortSignal) =>
      client.send(new AbortMultipartUploadCommand(upload), { abortSignal }),
    )
  } catch (cause) {
    // It had been completed, only the answer was lost.
    if (isNoSuchUpload(cause)) await removeObject(bucket, upload)
  }
}

async function removeObject(
  bucket: S3Bucket,
  { Bucket, Key }: Pick<ObjectFields, 'Bucket' | 'Key'>,
): Promise<void> {
  await bucket
    .request({}, (client, abortSignal) =>
      client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal }),
    )
    .catch(() => undefined)
}

/** Removes uploads in parts that a process which has died left: invisible, but paid for. @returns how many */
export async function removeAbandoned(bucket: S3Bucket, olderThanMs: number): Promise<number> {
  const { Uploads = [] } = await bucket.request({}, (client, abortSignal) =>
    client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name }), { abortSignal }),
  )
  let removed = 0
  for (const { Key, UploadId, Initiated } of Uploads) {
    if (Key === undefined || nameOfKey(Key) === undefined) continue
    if (Initiated === undefined || Initiated.getTime() >= olderThanMs) continue
    await removeUpload(bucket, { Bucket: bucket.name, Key, UploadId })
    removed += 1
  }
  return removed
}
