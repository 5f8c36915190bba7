import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../src/config.ts'

/** Docker does not run where this is tested: what can be known of these files without it. */

interface ComposeService {
  readonly image: string
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly string[]
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, null>>
}

function text(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
}

const compose = parse(text('compose.yaml'), { merge: true }) as Compose
const services = Object.entries(compose.services)
const nodes = services.filter(([name, { image }]) => image === 'sgs-chat' && name.startsWith('chat-'))

const GIVEN = {
  JWT_SECRET: 'a'.repeat(64),
  FILE_LINK_SECRET: 'b'.repeat(64),
  STATE_TOKEN: 'c'.repeat(64),
}

/** As Compose fills in `${NAME:-default}` and `${NAME:?what for}`. */
function filledIn(value: string): string {
  return value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string, rest: string) => {
    const given = GIVEN[name as keyof typeof GIVEN]
    if (given === undefined && kind !== '-') throw new Error(`${name} has no default`)
    return given ?? rest
  })
}

describe('compose.yaml', () => {
  it('has three nodes, whose settings the server takes without a word', () => {
    expect(nodes.map(([name]) => name)).toEqual(['chat-1', 'chat-2', 'chat-3'])
    for (const [, { environment = {} }] of nodes) {
      const settings = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name, filledIn(value)]),
      )
      const { config, warnings } = loadConfig(settings)
      expect(warnings).toEqual([])
      expect(config.KAFKA_BROKERS).toEqual(['kafka:9092'])
    }
  })

  it('names only services and volumes that it has, and images by their version', () => {
    const names = services.map(([name]) => name)
    for (const [name, { image, depends_on: needs = [], volumes = [] }] of services) {
      if (image !== 'sgs-chat') expect(image, name).toMatch(/^[\w./-]+:v?\d+\.\d+[\w.-]*$/)
      expect(names).toEqual(expect.arrayContaining(Array.isArray(needs) ? needs : Object.keys(needs)))
      for (const volume of volumes) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('./')) expect(text(source.slice(2))).not.toBe('')
        else expect(compose.volumes).toHaveProperty([source])
      }
    }
  })

  it('gives the balancer every node, twice: by session and by load', () => {
    const servers = [...text('deploy/haproxy.cfg').matchAll(/^ {2}server (\S+) (\S+):(\d+)/gm)]
    const expected = nodes.map(([name]) => [name, name, '8031'])
    expect(servers.map(([, ...server]) => server)).toEqual([...expected, ...expected])
  })
})

describe('deploy/Dockerfile', () => {
  it('starts the server as `pnpm start` does', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: { start: string } }
    const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(text('deploy/Dockerfile')) ?? []
    expect((JSON.parse(command) as string[]).join(' ')).toBe(scripts.start)
  })
})
