import { GetObjectCommand } from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { UploadForm, UrlOptions } from '@sgs-chat/core'
import type { S3Bucket } from './s3-bucket.ts'
import { toChatError } from './s3-errors.ts'
import type { ObjectFields } from './upload.ts'

/** Reads one object until it expires; S3 answers it with the type and the disposition given here. */
export async function presignUrl(
  bucket: S3Bucket,
  key: string,
  { expiresMs, contentType, contentDisposition }: UrlOptions,
): Promise<string> {
  const command = new GetObjectCommand({
    Bucket: bucket.name,
    Key: key,
    ResponseContentType: contentType,
    ResponseContentDisposition: contentDisposition,
    ResponseCacheControl: 'private, no-store',
  })
  try {
    const signingDate = new Date(bucket.timeThere(Date.now()))
    return await getSignedUrl(bucket.signer, command, { expiresIn: seconds(expiresMs), signingDate })
  } catch (cause) {
    throw toChatError(cause, 'read')
  }
}

/** The policy holds every field to the value given here, and the length to exactly `bytes`. */
export async function presignPost(
  bucket: S3Bucket,
  fields: ObjectFields,
  { bytes, expiresMs }: { readonly bytes: number; readonly expiresMs: number },
): Promise<UploadForm> {
  const { Bucket, Key, ContentType, Metadata, ServerSideEncryption, SSEKMSKeyId } = fields
  const metadata = Object.entries(Metadata).map(([name, value]) => [`x-amz-meta-${name}`, value] as const)
  try {
    const { url, fields: form } = await createPresignedPost(bucket.signer, {
      Bucket,
      Key,
      Conditions: [['content-length-range', bytes, bytes]],
      Fields: {
        'Content-Type': ContentType,
        ...Object.fromEntries(metadata),
        ...(ServerSideEncryption && { 'x-amz-server-side-encryption': ServerSideEncryption }),
        ...(SSEKMSKeyId && { 'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId }),
      },
      Expires: seconds(expiresMs),
    })
    return { url, fields: form, fileField: 'file' }
  } catch (cause) {
    throw toChatError(cause, 'stored')
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.floor(ms / 1_000))
}
