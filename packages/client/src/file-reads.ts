import { ClientError } from './client-error.ts'
import { bearer, type CallOptions, type HttpAnswer, type HttpCalls } from './http-calls.ts'
import type { ClientSettings } from './options.ts'

/** What the server says of a file. */
export interface FileFacts {
  /** What its sender called it. */
  readonly name: string
  readonly contentType: string
  readonly bytes: number | undefined
}

export interface FileContent extends FileFacts {
  readonly content: Blob
}

/** A file's name, type and size, without its bytes. @throws ClientError */
export async function describeFile(
  http: HttpCalls,
  settings: ClientSettings,
  link: string,
  options: CallOptions,
): Promise<FileFacts> {
  const url = ownLink(settings, link)
  const { httpTimeoutMs } = settings
  const answer = await http.call(token =>
    http.fetch(url, { method: 'HEAD', headers: bearer(token) }, httpTimeoutMs, options),
  )
  return factsOf(url, answer)
}

/** A whole file, for who may open it: with the token, which a picture or a download of a page does not carry. @throws ClientError */
export async function readFile(
  http: HttpCalls,
  settings: ClientSettings,
  link: string,
  options: CallOptions,
): Promise<FileContent> {
  const url = ownLink(settings, link)
  const { uploadTimeoutMs } = settings
  const answer = await http.call(token =>
    http.fetch(url, { headers: bearer(token) }, uploadTimeoutMs, options, response => response.blob()),
  )
  return { ...factsOf(url, answer), content: answer.body as Blob }
}

/** The token goes to the chat server and to nobody else. */
function ownLink({ url }: ClientSettings, link: string): URL {
  const own = new URL(url)
  const to = URL.parse(link)
  if (to?.origin === own.origin) return to
  throw new ClientError('INVALID', 'the link is not one of the chat server')
}

function factsOf(url: URL, { header }: HttpAnswer): FileFacts {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(header('content-disposition') ?? '')?.[1]
  const length = header('content-length')
  return {
    name: encoded === undefined ? (url.pathname.split('/').at(-1) ?? '') : decodeURIComponent(encoded),
    contentType: header('content-type') ?? 'application/octet-stream',
    bytes: length === null ? undefined : Number(length),
  }
}
