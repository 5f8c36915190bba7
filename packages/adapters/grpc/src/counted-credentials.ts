import { ChannelCredentials } from '@grpc/grpc-js'
import type { LinkTraffic } from '@sgs-chat/core'

type Connecting = ChannelCredentials['_createSecureConnector']
type Connector = ReturnType<Connecting>

/**
 * Credentials that see every socket of their channel, for its bytes are nowhere else to be had: grpc-js hands each
 * connected TCP socket to its credentials, which may put TLS over it. What is counted is below TLS, on the wire.
 */
export class CountedCredentials extends ChannelCredentials {
  private readonly inner: ChannelCredentials
  private readonly traffic: LinkTraffic

  constructor(inner: ChannelCredentials, traffic: LinkTraffic) {
    super()
    this.inner = inner
    this.traffic = traffic
  }

  override _isSecure(): boolean {
    return this.inner._isSecure()
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other
  }

  override _createSecureConnector(...args: Parameters<Connecting>): Connector {
    const { traffic } = this
    const connector = this.inner._createSecureConnector(...args)
    return {
      connect: socket => {
        traffic.opened(socket)
        socket.once('close', () => traffic.closed(socket))
        return connector.connect(socket)
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    }
  }
}
