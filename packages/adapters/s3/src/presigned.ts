import { GetObjectCommand } from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { S3Bucket } from './s3-bucket.ts'
import { toChatError } from './s3-errors.ts'
import type { ObjectFields } from './upload.ts'

export interface PresignedUrlOptions {
  /** From now on; at most seven days. */
  readonly expiresMs: number
  /** Downloaded under this name; without it, shown by the browser. */
  readonly name?: string
  /** Answered as the file's type. @default the type it was stored with */
  readonly contentType?: string
}

/** An HTML form's target and its fields; the file goes last, as `file`. */
export interface PresignedPost {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
}

export async function presignUrl(
  bucket: S3Bucket,
  key: string,
  { expiresMs, name, contentType }: PresignedUrlOptions,
): Promise<string> {
  const command = new GetObjectCommand({
    Bucket: bucket.name,
    Key: key,
    ...(name === undefined ? {} : { ResponseContentDisposition: downloadAs(name) }),
    ...(contentType === undefined ? {} : { ResponseContentType: contentType }),
  })
  try {
    return await getSignedUrl(bucket.signer, command, { expiresIn: seconds(expiresMs) })
  } catch (cause) {
    throw toChatError(cause, 'read')
  }
}

/** The policy holds every field to the value given here, and the length to its range. */
export async function presignPost(
  bucket: S3Bucket,
  fields: ObjectFields,
  { maxBytes, expiresMs }: { readonly maxBytes: number; readonly expiresMs: number },
): Promise<PresignedPost> {
  const { Bucket, Key, ContentType, Metadata, ServerSideEncryption, SSEKMSKeyId } = fields
  const metadata = Object.entries(Metadata).map(([name, value]) => [`x-amz-meta-${name}`, value] as const)
  try {
    return await createPresignedPost(bucket.signer, {
      Bucket,
      Key,
      Conditions: [['content-length-range', 0, maxBytes]],
      Fields: {
        'Content-Type': ContentType,
        ...Object.fromEntries(metadata),
        ...(ServerSideEncryption && { 'x-amz-server-side-encryption': ServerSideEncryption }),
        ...(SSEKMSKeyId && { 'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId }),
      },
      Expires: seconds(expiresMs),
    })
  } catch (cause) {
    throw toChatError(cause, 'stored')
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.floor(ms / 1_000))
}

/** RFC 6266: an ASCII name for old readers, and the whole one as RFC 8187 writes it. */
function downloadAs(name: string): string {
  const plain = name.replaceAll(/[^\w .-]/g, '_')
  const whole = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`
}
