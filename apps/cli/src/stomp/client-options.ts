import type { Transport } from './stomp-connection.ts'
import type { TokenSource } from './token-source.ts'

/** How clients reach a deployment. */
export interface ClientOptions {
  /** `http://host:port`, without a slash at the end. */
  readonly nodes: readonly string[]
  readonly tokens: TokenSource
  readonly transport: Transport
  readonly connectTimeoutMs: number
  readonly answerTimeoutMs: number
}
