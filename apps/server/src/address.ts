import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Config } from './config.ts'
import { usesDevKey } from './keys.ts'

/** Where the server is served. */
export interface Address {
  readonly host: string
  readonly port: number
  /** Where clients reach it, without a slash at the end. */
  readonly publicUrl: string
}

/** With a key that anyone on this machine may use, only this machine is let in, unless HOST says otherwise. */
export async function addressOf(config: Config): Promise<Address> {
  const host = config.HOST ?? (usesDevKey(config) ? '127.0.0.1' : '0.0.0.0')
  const port = config.PORT === 0 ? await freePort(host) : config.PORT
  return { host, port, publicUrl: config.PUBLIC_URL ?? `http://${reachable(host)}:${port}` }
}

const LOCAL_HOSTS = new Set(['127.0.0.1', '0.0.0.0', '::', '::1'])

function reachable(host: string): string {
  if (LOCAL_HOSTS.has(host)) return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** The links to files hold the port, so that it must be known before anything serves. */
async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
