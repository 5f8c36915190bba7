import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { type CallOptions, type Clock, type Logger, silentLogger } from '@sgs-chat/core'
import { timeoutError, toOpenError } from './s3-errors.ts'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface S3Options {
  /** What S3_BUCKET says. It must be there, and it stays as private as it is: objects get no ACL. */
  readonly bucket: string
  /** What S3_ENDPOINT says. @default AWS's own, by region */
  readonly endpoint?: string
  /** Where browsers reach it, for presigned URLs and forms. @default `endpoint` */
  readonly publicEndpoint?: string
  readonly region: string
  /** Whether clients may be sent to S3 by links and forms; false where they cannot reach it. @default true */
  readonly direct?: boolean
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. @default true when there is an `endpoint` */
  readonly forcePathStyle?: boolean
  /** @default what the AWS SDK finds: environment, files, the role of the machine */
  readonly credentials?: S3Credentials
  /** How objects are encrypted at rest. @default what the bucket says */
  readonly sse?: 'AES256' | { readonly kmsKeyId: string }
  /** A file larger than this goes up in parts of it; one put holds one part in memory. At least 5 MiB. @default 5_242_880 */
  readonly partBytes?: number
  /** The most that one request (of a part, say), or the wait for one chunk of an answer, may take. @default 15_000 */
  readonly timeoutMs?: number
  /** Files being written or read at once; beyond them a call is refused as retryable. @default 64 */
  readonly maxOpenFiles?: number
  /** How long `close` waits for files that are being written. @default 5_000 */
  readonly closeTimeoutMs?: number
  /** An upload in parts that was begun longer ago and never ended is removed at start. @default 86_400_000 */
  readonly abandonedAfterMs?: number
  /** @default the machine's */
  readonly clock?: Clock
  readonly logger?: Logger
}

/** Tries of the SDK for each request, with waits between that stay under a second. */
const ATTEMPTS = 3

const TOLERATED_OFFSET_MS = 60_000

const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    return () => clearTimeout(timeout)
  },
}

/** A bucket, with requests that end: by an answer, the caller's signal, or `timeoutMs`. */
export class S3Bucket {
  readonly name: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly #client: S3Client
  readonly #signer: S3Client

  private constructor(options: S3Options) {
    const { bucket, endpoint, publicEndpoint = endpoint, clock = systemClock, timeoutMs = 15_000 } = options
    this.name = bucket
    this.clock = clock
    this.timeoutMs = timeoutMs
    this.#client = newClient(options, endpoint)
    this.#signer = publicEndpoint === endpoint ? this.#client : newClient(options, publicEndpoint)
  }

  /** @throws ChatError UNAVAILABLE naming the setting to look at, in bounded time */
  static async open(options: S3Options): Promise<S3Bucket> {
    const bucket = new S3Bucket(options)
    try {
      // Not HEAD: its refusals have no body that would say why.
      await bucket.request({}, (client, abortSignal) =>
        client.send(new ListObjectsV2Command({ Bucket: bucket.name, MaxKeys: 1 }), { abortSignal }),
      )
      bucket.#checkClock(options)
      return bucket
    } catch (cause) {
      bucket.destroy()
      throw toOpenError(cause, { bucket: bucket.name, endpoint: options.endpoint ?? 'AWS' })
    }
  }

  /** For what browsers will ask for: never sends anything itself, so it learns the time from the one that does. */
  get signer(): S3Client {
    this.#signer.config.systemClockOffset = this.clockOffsetMs
    return this.#signer
  }

  /** How far S3's clock was ahead of this machine's when it last answered. */
  get clockOffsetMs(): number {
    return this.#client.config.systemClockOffset
  }

  /** A time of this machine's clock, as S3's own clock shows it: what S3 says of an object's age goes by that one. */
  timeThere(timeMs: number): number {
    return timeMs + this.clockOffsetMs
  }

  /** @throws whatever the request throws; ChatError when it takes too long; the signal's reason */
  async request<T>(
    { signal }: CallOptions,
    send: (client: S3Client, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (signal?.aborted === true) throw signal.reason
    const over = new AbortController()
    const cancel = this.clock.after(this.timeoutMs, () => over.abort(timeoutError(this.timeoutMs)))
    const onAbort = (): void => over.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await send(this.#client, over.signal)
    } catch (cause) {
      throw over.signal.aborted ? over.signal.reason : cause
    } finally {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Requests and links are signed by S3's clock, but tokens, tickets and what is too old go by this machine's. */
  #checkClock({ logger = silentLogger, endpoint = 'AWS' }: S3Options): void {
    if (Math.abs(this.clockOffsetMs) < TOLERATED_OFFSET_MS) return
    const offsetSeconds = Math.round(this.clockOffsetMs / 1_000)
    const text = "this machine's clock differs from that of S3_ENDPOINT; set it right"
    logger.warn(text, { endpoint, offsetSeconds })
  }

  destroy(): void {
    this.#client.destroy()
    this.#signer.destroy()
  }
}

function newClient(options: S3Options, endpoint: string | undefined): S3Client {
  const { region, credentials, forcePathStyle = endpoint !== undefined, maxOpenFiles = 64 } = options
  const { timeoutMs = 15_000 } = options
  return new S3Client({
    region,
    forcePathStyle,
    maxAttempts: ATTEMPTS,
    // Else a presigned form or URL carries the checksum of an empty body. Payloads are in the signature as it is.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: Math.min(3_000, timeoutMs),
      httpAgent: { maxSockets: maxOpenFiles, keepAlive: true },
      httpsAgent: { maxSockets: maxOpenFiles, keepAlive: true },
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
}
