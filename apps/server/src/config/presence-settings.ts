import { hostname } from 'node:os'
import { integer, optional, withDefault } from './setting.ts'

/** Where sessions are told of, as one entry of STATE_SERVER names it. */
export type StateServerAddress =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'tcp' | 'tcp+lease' | 'grpc'; readonly host: string; readonly port: number }

const DEFAULT_PORT = { tcp: 8_099, 'tcp+lease': 8_099, grpc: 8_095 } as const
const MAX_STATE_SERVERS = 8

/** Undefined: not allowed. */
function parseStateServers(text: string): readonly string[] | undefined {
  const entries = text.split(',').map(entry => entry.trim())
  const isRight = entries.every(entry => entry === 'embedded' || addressOfLink(entry) !== undefined)
  const isOnce = new Set(entries).size === entries.length
  return isRight && isOnce && entries.length <= MAX_STATE_SERVERS ? entries : undefined
}

/** The entries of STATE_SERVER, which were checked when it was read. */
export function stateServersOf(entries: readonly string[]): readonly StateServerAddress[] {
  return entries.map(entry => addressOfLink(entry) ?? { kind: 'embedded' })
}

function addressOfLink(entry: string): StateServerAddress | undefined {
  const [, kind, host = '', port] =
    /^(tcp|tcp\+lease|grpc):\/\/(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(entry) ?? []
  if (kind !== 'tcp' && kind !== 'tcp+lease' && kind !== 'grpc') return undefined
  const number = port === undefined ? DEFAULT_PORT[kind] : Number(port)
  if (number < 1 || number > 65_535) return undefined
  return { kind, host: host.replace(/^\[|\]$/g, ''), port: number }
}

const MAX_NODE_ID_LENGTH = 128
const some = (text: string): string | undefined => (text === '' ? undefined : text)

/** Where presence is kept, and how it is reached. */
export const presenceSettings = {
  STATE_SERVER: withDefault<readonly string[]>(['embedded'], {
    about: 'where presence is kept; of several all are told, the first is asked',
    allowed:
      'embedded | tcp://host:port | tcp+lease://host:port | grpc://host:port, or a comma list of these',
    byDefault: 'embedded',
    parse: parseStateServers,
  }),
  STATE_TOKEN: optional({
    about: 'what a state server on another machine knows this node by',
    allowed: 'a text without spaces',
    secret: true,
    parse: text => (/^\S+$/.test(text) ? text : undefined),
  }),
  STATE_TLS_CA: optional({
    about: 'who may have signed the certificate of a grpc:// state server; set, the link has TLS',
    allowed: 'a PEM file, or system',
    parse: some,
  }),
  STATE_TLS_CERTIFICATE: optional({
    about: "this node's certificate, for a state server that asks for one",
    allowed: 'a PEM file',
    parse: some,
  }),
  STATE_TLS_KEY: optional({ about: 'its key', allowed: 'a PEM file', parse: some }),
  STATE_CONNECTIONS: integer({
    about: 'connections to a tcp:// or tcp+lease:// state server, each with one request under way',
    byDefault: 30,
    min: 1,
    max: 1_000,
  }),
  STATE_REQUEST_TIMEOUT_MS: integer({
    about: 'how long one request to a state server may take',
    unit: 'ms',
    byDefault: 5_000,
    min: 1,
    max: 60_000,
  }),
  NODE_ID: withDefault(hostname(), {
    about: "this node's name at the state server, the same after a restart",
    allowed: `a text of at most ${MAX_NODE_ID_LENGTH} characters`,
    byDefault: "the machine's host name",
    parse: text => (text.length <= MAX_NODE_ID_LENGTH ? text : undefined),
  }),
} as const
