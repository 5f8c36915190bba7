import type { Socket } from 'node:net'

/** The sockets of one client of the brokers, which can be cut off all at once, and for good. */
export class SocketGate {
  readonly #sockets = new Set<Socket>()
  #isShut = false

  admit(socket: Socket): Socket {
    if (this.#isShut) cut(socket)
    else {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    return socket
  }

  shut(): void {
    this.#isShut = true
    for (const socket of this.#sockets) cut(socket)
  }
}

/** With an error: the driver does not hear of an end without one. */
function cut(socket: Socket): void {
  socket.destroy(new Error('this client of the brokers was cut off'))
}
