/** One event of a stream. */
interface StreamEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: unknown
}

export interface Events {
  /** The next events of the stream, once there are so many. */
  take(count: number): Promise<StreamEvent[]>
  close(): Promise<void>
}

/** Reads Server-Sent Events as a browser does. */
export async function readEvents(url: string, headers: Record<string, string>): Promise<Events> {
  const stop = new AbortController()
  const response = await fetch(url, { headers, signal: stop.signal })
  if (response.body === null || !response.ok) throw new Error(`the stream answered ${response.status}`)
  const texts = response.body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  let unread = ''
  const next = async (): Promise<StreamEvent> => {
    for (;;) {
      const end = unread.indexOf('\n\n')
      if (end >= 0) {
        const block = unread.slice(0, end)
        unread = unread.slice(end + 2)
        return eventFrom(block)
      }
      const { value, done } = await texts.next()
      if (done) throw new Error('the stream ended')
      unread += value
    }
  }
  return {
    async take(count) {
      const events: StreamEvent[] = []
      while (events.length < count) events.push(await next())
      return events
    },
    close() {
      stop.abort()
      return Promise.resolve()
    },
  }
}

function eventFrom(block: string): StreamEvent {
  const fields = new Map(block.split('\n').map(line => line.split(/: (.*)/s) as [string, string]))
  return {
    id: fields.get('id'),
    event: fields.get('event') ?? 'message',
    data: JSON.parse(fields.get('data') ?? 'null'),
  }
}
