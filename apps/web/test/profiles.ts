import type { Page } from 'playwright-core'
import { type ServerProcess, type TestServers, tokenFor } from '../../server/test/e2e/server-process.ts'
import { StateServerProcess } from '../../server/test/e2e/state-server-process.ts'
import { clusterSettings, type SharedServices } from '../../server/test/services/shared-services.ts'
import { signInByName, signInByToken } from './steps.ts'

/** What two people's pages come from: one server, or a node for each of them. */
export interface Nodes {
  readonly urls: readonly [string, string]
  /** Ends all of them as a crash does. */
  readonly kill: () => Promise<void>
  /** The same again, where they were. */
  readonly startAgain: () => Promise<void>
}

/** How the server is composed, and how somebody gets in. */
export interface Profile {
  readonly name: string
  readonly start: (settings?: Readonly<Record<string, string>>) => Promise<Nodes>
  readonly enter: (page: Page, name: string) => Promise<void>
  /** Where files are fetched from, besides the server itself. */
  readonly files: readonly string[]
}

const UNLIMITED = { RATE_LIMIT: 'off', USER_RATE_LIMIT: 'off' }

/** As a first start without settings is; with a key, only by token. */
export function embeddedProfile(servers: TestServers): Profile {
  return {
    name: 'embedded',
    files: [],
    enter: signInByName,
    start: async (settings = {}) => {
      const dataDir = servers.folder()
      const serve = async (more = {}): Promise<ServerProcess> => {
        const server = servers.spawn({ DATA_DIR: dataDir, ...UNLIMITED, ...settings, ...more })
        await server.logged('serving')
        return server
      }
      let server = await serve()
      const { url } = server
      return {
        urls: [url, url],
        kill: async () => void (await server.stop('SIGKILL')),
        startAgain: async () => {
          server = await serve({ PORT: new URL(url).port })
        },
      }
    },
  }
}

/** Two nodes on Kafka, MongoDB, S3 and a state server; files go straight to S3 and come from there. */
export function productionProfile(servers: TestServers, services: SharedServices): Profile {
  return {
    name: 'production',
    files: [services.s3.address],
    enter: (page, name) => signInByToken(page, tokenFor(name)),
    start: async (settings = {}) => {
      const state = await StateServerProcess.start({})
      servers.cleanups.push(() => state.kill())
      const shared = {
        ...clusterSettings(services),
        ...UNLIMITED,
        S3_DELIVERY: 'direct',
        STATE_SERVER: `tcp+lease://127.0.0.1:${state.ports.tcp}`,
        ...settings,
      }
      const serve = (port = '0'): Promise<ServerProcess> => servers.start({ ...shared, PORT: port })
      let nodes = await Promise.all([serve(), serve()])
      const [{ url: first }, { url: second }] = nodes
      return {
        urls: [first, second],
        kill: async () => void (await Promise.all(nodes.map(node => node.stop('SIGKILL')))),
        startAgain: async () => {
          nodes = await Promise.all([serve(new URL(first).port), serve(new URL(second).port)])
        },
      }
    },
  }
}
