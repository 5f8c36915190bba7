import { S3ServiceException } from '@aws-sdk/client-s3'
import { ChatError } from '@sgs-chat/core'

/** Where the files lie, in words that hold no credentials. */
export interface S3Target {
  readonly bucket: string
  readonly endpoint: string
}

/** The name S3 gives the failure (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), or Node's code. */
function nameOf(cause: unknown): string {
  if (cause instanceof S3ServiceException) return cause.name
  for (let error = cause, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    if ('code' in error && typeof error.code === 'string') return error.code
  }
  return cause instanceof Error ? cause.name : 'an error'
}

function statusOf(cause: unknown): number | undefined {
  return cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined
}

export function isNotFound(cause: unknown): boolean {
  const name = nameOf(cause)
  return name === 'NotFound' || name === 'NoSuchKey'
}

/** The object is not the one that was asked for any more. */
export function isReplaced(cause: unknown): boolean {
  return nameOf(cause) === 'PreconditionFailed'
}

/** A finished or aborted upload is no longer known. */
export function isNoSuchUpload(cause: unknown): boolean {
  return nameOf(cause) === 'NoSuchUpload'
}

/** Whether S3 itself said no; else what was asked for may still have been done. */
export function isRefused(cause: unknown): boolean {
  const status = statusOf(cause)
  return status !== undefined && status >= 400 && status < 500
}

/** A failed call about one file. */
export function toChatError(cause: unknown, doing: 'stored' | 'read' | 'removed'): ChatError {
  if (ChatError.is(cause)) return cause
  const status = statusOf(cause)
  const isPassing = status === undefined || status >= 500 || status === 429
  return new ChatError('FILE_CONVERSION_ERROR', `the file could not be ${doing}: S3 ${saidOf(cause)}`, {
    retryable: isPassing && !(cause instanceof RangeError),
    cause,
  })
}

function saidOf(cause: unknown): string {
  const status = statusOf(cause)
  return status === undefined
    ? `did not answer (${nameOf(cause)}), look at S3_ENDPOINT`
    : `answered ${nameOf(cause)}`
}

/** Of the settings, the one to look at, for each answer of S3 to the first question. */
const SETTINGS: Readonly<Record<string, readonly [setting: string, what: string]>> = {
  NoSuchBucket: ['S3_BUCKET', 'there is no such bucket'],
  NotFound: ['S3_BUCKET', 'there is no such bucket'],
  InvalidBucketName: ['S3_BUCKET', 'that is no name of a bucket'],
  AccessDenied: ['AWS_ACCESS_KEY_ID', 'these credentials may not list the bucket'],
  AllAccessDisabled: ['AWS_ACCESS_KEY_ID', 'these credentials may not list the bucket'],
  InvalidAccessKeyId: ['AWS_ACCESS_KEY_ID', 'S3 does not know this access key'],
  // As versitygw says it.
  XAdminUserNotFound: ['AWS_ACCESS_KEY_ID', 'S3 does not know this access key'],
  SignatureDoesNotMatch: ['AWS_SECRET_ACCESS_KEY', 'the secret does not fit the access key'],
  ExpiredToken: ['AWS_SESSION_TOKEN', 'the session token has expired'],
  InvalidToken: ['AWS_SESSION_TOKEN', 'the session token is not valid'],
  CredentialsProviderError: ['AWS_ACCESS_KEY_ID', 'there are no credentials'],
  AuthorizationHeaderMalformed: ['S3_REGION', 'the bucket is in another region'],
  PermanentRedirect: ['S3_REGION', 'the bucket is in another region'],
  IllegalLocationConstraintException: ['S3_REGION', 'the bucket is in another region'],
  RequestTimeTooSkewed: ['S3_ENDPOINT', "this machine's clock differs too much from the server's"],
}

/** The bucket cannot be used; names the setting to look at. */
export function toOpenError(cause: unknown, { bucket, endpoint }: S3Target): ChatError<'UNAVAILABLE'> {
  const name = nameOf(cause)
  const known = SETTINGS[name] ?? (statusOf(cause) === 403 ? SETTINGS.AccessDenied : undefined)
  const [setting, what] = known ?? ['S3_ENDPOINT', `S3 ${saidOf(cause)}`]
  return new ChatError('UNAVAILABLE', `${setting}: bucket ${bucket} at ${endpoint}: ${what}`, {
    details: { waitsFor: setting },
    retryable: known === undefined,
    cause,
  })
}

/** The one who gives the file failed, not the store. */
export function bodyError(cause: unknown): ChatError {
  if (ChatError.is(cause)) return cause
  return new ChatError('FILE_CONVERSION_ERROR', 'the body of the file ended with an error', { cause })
}

export function invalidIdError(): ChatError<'FILE_CONVERSION_ERROR'> {
  return new ChatError('FILE_CONVERSION_ERROR', 'the id of the file is not one that can be stored')
}

export function tooLargeError(maxBytes: number): ChatError<'TOO_LARGE'> {
  return new ChatError('TOO_LARGE', `the file is over ${maxBytes} bytes`, {
    details: { limit: maxBytes, unit: 'bytes' },
  })
}

export function timeoutError(timeoutMs: number): ChatError<'FILE_CONVERSION_ERROR'> {
  return new ChatError('FILE_CONVERSION_ERROR', `S3 did not answer within ${timeoutMs} ms`, {
    retryable: true,
  })
}
