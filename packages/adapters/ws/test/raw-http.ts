import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

export interface CallOptions {
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

function begin(
  port: number,
  method: string,
  path: string,
  { headers, body }: CallOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', method, path, headers: headers ?? {}, agent: false },
      resolve,
    )
    outgoing.on('error', reject)
    outgoing.end(body ?? '')
  })
}

/** One request with its whole answer. */
export async function call(
  port: number,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer> {
  const incoming = await begin(port, method, path, options)
  let body = ''
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body }
}

/** An answer that is read while it comes. */
export class Streaming {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly #incoming: IncomingMessage
  #text = ''
  #isOver = false
  #wake: () => void = () => {}

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming
    this.status = incoming.statusCode ?? 0
    this.headers = incoming.headers
    incoming.setEncoding('utf8')
    incoming.on('data', (chunk: string) => {
      this.#text += chunk
      this.#wake()
    })
    const over = (): void => {
      this.#isOver = true
      this.#wake()
    }
    incoming.on('close', over).on('error', over)
  }

  /** Everything up to the end of `mark`, taken off what has come; waits for it. */
  async upTo(mark: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(mark)
      if (at >= 0) {
        const taken = this.#text.slice(0, at + mark.length)
        this.#text = this.#text.slice(at + mark.length)
        return taken
      }
      if (this.#isOver)
        throw new Error(`ended before ${JSON.stringify(mark)}: ${JSON.stringify(this.#text.slice(0, 200))}`)
      await this.#next()
    }
  }

  /** What is left until the server ends the answer. */
  async rest(): Promise<string> {
    while (!this.#isOver) await this.#next()
    return this.#text
  }

  abort(): void {
    this.#incoming.destroy()
  }

  pause(): void {
    this.#incoming.pause()
  }

  #next(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}

/** Opens an answer that stays open. */
export async function stream(
  port: number,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Streaming> {
  return new Streaming(await begin(port, method, path, options))
}
