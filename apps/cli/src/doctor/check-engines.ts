import { resolveSrv } from 'node:dns/promises'
import { connect } from 'node:net'
import { type Config, stateServersOf } from '@sgs-chat/server/config'
import { type Finding, ok, problem, warning } from './finding.ts'

const CONNECT_TIMEOUT_MS = 3_000
const MONGODB_PORT = 27_017

interface Address {
  readonly host: string
  readonly port: number
}

/** Whether somebody listens where the settings say that the shared engines are. It logs in nowhere, and asks for nothing. */
export async function checkEngines(config: Config): Promise<Finding[]> {
  const { KAFKA_BROKERS: brokers, MONGODB_URL: mongodbUrl, STATE_SERVER: stateServers } = config
  const links = stateServersOf(stateServers).filter(address => address.kind !== 'embedded')
  const checked = await Promise.all([
    brokers === undefined
      ? []
      : checkReach(
          'KAFKA_BROKERS',
          brokers.map(broker => addressOf(`tcp://${broker}`)),
        ),
    mongodbUrl === undefined ? [] : checkMongodb(mongodbUrl),
    config.S3_BUCKET === undefined ? [] : checkReach('S3_ENDPOINT', [addressOf(s3Url(config))]),
    // Chat goes on without it.
    ...links.map(link => checkReach('STATE_SERVER', [link], warning)),
  ])
  return checked.flat()
}

function s3Url({ S3_ENDPOINT, S3_REGION }: Config): string {
  return S3_ENDPOINT ?? `https://s3.${S3_REGION}.amazonaws.com`
}

async function checkMongodb(url: string): Promise<Finding[]> {
  // https://www.mongodb.com/docs/manual/reference/connection-string/: whoever logs in stands before the @.
  const [, scheme = '', hosts = ''] = /^(mongodb(?:\+srv)?):\/\/(?:[^@/]*@)?([^/?]+)/.exec(url) ?? []
  if (scheme === 'mongodb')
    return checkReach(
      'MONGODB_URL',
      hosts.split(',').map(host => addressOf(`tcp://${host}`, MONGODB_PORT)),
    )
  const found = await resolveSrv(`_mongodb._tcp.${hosts}`).catch(() => [])
  if (found.length === 0) return [problem('MONGODB_URL', `the DNS knows no MongoDB servers of ${hosts}`)]
  return checkReach(
    'MONGODB_URL',
    found.map(({ name, port }) => ({ host: name, port })),
  )
}

/** @param portOfNone the port of a URL that says none, where its scheme does not */
function addressOf(url: string, portOfNone?: number): Address {
  const { protocol, hostname, port } = new URL(url)
  const ofScheme = { 'http:': 80, 'https:': 443 }[protocol]
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (portOfNone ?? ofScheme ?? 0) : Number(port),
  }
}

/** One of several is enough to serve. @param whenNone how bad it is that nobody is there */
async function checkReach(
  setting: string,
  addresses: readonly Address[],
  whenNone: typeof problem = problem,
): Promise<Finding[]> {
  const answers = await Promise.all(addresses.map(isReached))
  const away = addresses.filter((_, index) => !answers[index]).map(named)
  const within = `within ${CONNECT_TIMEOUT_MS / 1_000} s`
  if (away.length === addresses.length)
    return [whenNone(setting, `nobody listens at ${away.join(', ')} ${within}`)]
  if (away.length > 0)
    return [
      warning(setting, `nobody listens at ${away.join(', ')} ${within}; at the rest of them somebody does`),
    ]
  return [ok(setting, `somebody listens at ${addresses.map(named).join(', ')}`)]
}

function named({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isReached({ host, port }: Address): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS })
    const end = (isThere: boolean) => (): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false))
  })
}
