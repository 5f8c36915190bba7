import { ClientError } from './client-error.ts'
import { bearer, type CallOptions, type HttpAnswer, type HttpCalls } from './http-calls.ts'
import { parseJson } from './parse-json.ts'

/** How far an upload is, in bytes of the request. */
export interface Progress {
  readonly sentBytes: number
  /** Undefined where it is not known beforehand. */
  readonly totalBytes: number | undefined
}

export interface FormPost extends CallOptions {
  readonly url: URL
  readonly form: FormData
  /** Undefined: the form itself says who may, as that of an upload that was announced does. */
  readonly token: string | undefined
  readonly timeoutMs: number
  readonly onProgress: ((progress: Progress) => void) | undefined
}

/** Posts a form, and tells how far it is where the machine can tell. @throws ClientError */
export function postForm(http: HttpCalls, post: FormPost): Promise<HttpAnswer> {
  if (post.onProgress === undefined) return plainPost(http, post)
  if (typeof XMLHttpRequest !== 'undefined') return watchedPost(post, post.onProgress)
  // A store of S3 takes no form whose length is not told beforehand, which a stream's is not.
  return post.token === undefined ? plainPost(http, post) : countedPost(http, post, post.onProgress)
}

function plainPost(http: HttpCalls, { url, form, token, timeoutMs, signal }: FormPost): Promise<HttpAnswer> {
  return http.fetch(url, { method: 'POST', headers: bearer(token), body: form }, timeoutMs, optional(signal))
}

/** Browsers tell of an upload's progress only here. */
function watchedPost(
  { url, form, token, timeoutMs, signal }: FormPost,
  onProgress: (progress: Progress) => void,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (code: 'ABORTED' | 'TIMED_OUT' | 'CONNECTION_LOST', text: string): void =>
      reject(new ClientError(code, text, { retryable: code !== 'ABORTED', outcome: 'unknown' }))
    if (signal?.aborted === true) {
      fail('ABORTED', 'the upload was given up')
      return
    }
    const request = new XMLHttpRequest()
    const abort = (): void => request.abort()
    request.open('POST', url)
    for (const [name, value] of Object.entries(bearer(token))) request.setRequestHeader(name, value)
    request.timeout = timeoutMs
    request.upload.onprogress = ({ loaded, total, lengthComputable }) =>
      onProgress({ sentBytes: loaded, totalBytes: lengthComputable ? total : undefined })
    request.onload = () =>
      resolve({
        status: request.status,
        body: parseJson(request.responseText),
        header: name => request.getResponseHeader(name),
      })
    request.onerror = () => fail('CONNECTION_LOST', 'the server could not be reached')
    request.ontimeout = () => fail('TIMED_OUT', `the upload took over ${timeoutMs} ms`)
    request.onabort = () => fail('ABORTED', 'the upload was given up')
    request.onloadend = () => signal?.removeEventListener('abort', abort)
    signal?.addEventListener('abort', abort)
    request.send(form)
  })
}

/** Node: the form's bytes are counted on their way. */
function countedPost(
  http: HttpCalls,
  { url, form, token, timeoutMs, signal }: FormPost,
  onProgress: (progress: Progress) => void,
): Promise<HttpAnswer> {
  const encoded = new Response(form)
  let sentBytes = 0
  const counted = encoded.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        sentBytes += chunk.length
        controller.enqueue(chunk)
        onProgress({ sentBytes, totalBytes: undefined })
      },
    }),
  )
  const init = {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': encoded.headers.get('content-type') ?? '' },
    body: counted ?? null,
    // Needed for a stream, and not among the types of the DOM yet.
    duplex: 'half',
  }
  return http.fetch(url, init, timeoutMs, optional(signal))
}

function optional(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal }
}
