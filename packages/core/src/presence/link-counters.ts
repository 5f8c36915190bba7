/** What one end of a presence link has carried since it began: plain numbers, to be read at any time. */
export interface LinkCounters {
  /** Sent by a client's end, received by a server's end; messages of a watch stream are not requests. */
  readonly requests: number
  /** Of the requests: those without the answer that was asked for. */
  readonly failures: number
  /** On the wire: with everything that the transport adds above TCP. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Connections open now. */
  readonly connections: number
  /** Connections turned away, because there were too many. */
  readonly refused: number
}

/** What a socket knows of itself. */
export interface SocketBytes {
  readonly bytesRead: number
  readonly bytesWritten: number
}

/** The counters of one end: sockets are asked only when somebody reads them. */
export class LinkTraffic implements LinkCounters {
  requests = 0
  failures = 0
  refused = 0
  private readonly open = new Set<SocketBytes>()
  private closedSent = 0
  private closedReceived = 0

  opened(socket: SocketBytes): void {
    this.open.add(socket)
  }

  closed(socket: SocketBytes): void {
    if (!this.open.delete(socket)) return
    this.closedSent += socket.bytesWritten
    this.closedReceived += socket.bytesRead
  }

  get connections(): number {
    return this.open.size
  }

  get bytesSent(): number {
    let bytes = this.closedSent
    for (const socket of this.open) bytes += socket.bytesWritten
    return bytes
  }

  get bytesReceived(): number {
    let bytes = this.closedReceived
    for (const socket of this.open) bytes += socket.bytesRead
    return bytes
  }
}
