/** A frame as it came. */
export interface RawFrame {
  readonly command: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A STOMP 1.2 client that sends what it is told, right or wrong, over a raw WebSocket. */
export class RawStomp {
  readonly #socket: WebSocket
  readonly #frames: RawFrame[] = []
  #wake: () => void = () => undefined
  #code: number | undefined

  private constructor(url: string) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/chat/connect/websocket`, ['v12.stomp'])
    this.#socket.onmessage = ({ data }) => {
      const frame = parsed(String(data))
      if (frame !== undefined) this.#frames.push(frame)
      this.#wake()
    }
    this.#socket.onclose = ({ code }) => {
      this.#code = code
      this.#wake()
    }
  }

  /** The answer to CONNECT is the first of `next`. */
  static async open(url: string, token: string): Promise<RawStomp> {
    const client = new RawStomp(url)
    await new Promise((resolve, reject) => {
      client.#socket.onopen = resolve
      client.#socket.onerror = reject
    })
    client.send('CONNECT', { 'accept-version': '1.2', host: 'chat', Authorization: `Bearer ${token}` })
    return client
  }

  send(command: string, headers: Readonly<Record<string, string>> | readonly string[], body = ''): void {
    const lines = Array.isArray(headers)
      ? headers
      : Object.entries(headers).map(([name, value]) => `${name}:${value}`)
    this.#socket.send(`${[command, ...lines].join('\n')}\n\n${body}\0`)
  }

  /** The next frame, in short: `ERROR CHAT-003`, `RECEIPT`; or `closed 1002` once there is none any more. */
  async next(): Promise<string> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return inShort(frame)
      if (this.#code !== undefined) return `closed ${this.#code}`
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#socket.close()
  }
}

function parsed(text: string): RawFrame | undefined {
  const frame = text.replace(/^[\r\n]+/, '')
  if (frame === '') return undefined
  const end = frame.indexOf('\n\n')
  const [command = '', ...lines] = frame.slice(0, end).split('\n')
  const headers = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1)]
  })
  return { command, headers: Object.fromEntries(headers), body: frame.slice(end + 2).replace(/\0$/, '') }
}

function inShort({ command, body }: RawFrame): string {
  if (command !== 'ERROR' && command !== 'MESSAGE') return command
  const { code } = JSON.parse(body) as { code?: string }
  return code === undefined ? command : `${command} ${code}`
}
