import { create } from '@bufbuild/protobuf'
import { ChannelCredentials, Client, type ServiceError, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
} from '../src/generated/grpc/health/v1/health_pb.ts'
import { HEALTH } from '../src/methods.ts'
import { StateServer } from './state-server.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function served(options: Parameters<typeof StateServer.start>[0] = {}): Promise<StateServer> {
  const server = await StateServer.start(options)
  opened.push(() => server[Symbol.asyncDispose]())
  return server
}

function clientOf({ port }: StateServer): Client {
  const client = new Client(`127.0.0.1:${port}`, ChannelCredentials.createInsecure())
  opened.push(() => client.close())
  return client
}

describe("gRPC's own health check", () => {
  it('L9: is SERVING while the store answers, for the server and each service, and NOT_FOUND for another one', async () => {
    let isAway = false
    const ready = async (): Promise<void> => {
      if (isAway) throw new Error('away')
    }
    const server = await served({ ready, token: 'sixteen characters' })
    const client = clientOf(server)
    const { path, requestSerialize, responseDeserialize } = HEALTH.Check
    const check = (service: string): Promise<HealthCheckResponse['status'] | undefined> =>
      new Promise((resolve, reject) => {
        const request = create(HealthCheckRequestSchema, { service })
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
          error === null ? resolve(answer?.status) : reject(error),
        )
      })
    const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus
    const services = ['', 'GrpcMessageService', 'sgs.presence.v1.PresenceService', 'grpc.health.v1.Health']
    for (const service of services) expect(await check(service)).toBe(SERVING)
    await expect(check('another.Service')).rejects.toMatchObject({ code: status.NOT_FOUND })
    isAway = true
    expect(await check('')).toBe(NOT_SERVING)
    expect(server.counters.requests).toBe(0)
  })
})

describe('server reflection', () => {
  /** Field numbers of ServerReflectionRequest in gRPC's reflection.proto. */
  const LIST_SERVICES = 7
  const FILE_CONTAINING_SYMBOL = 4

  function asked(server: StateServer, version: string, field: number, text: string): Promise<string> {
    const name = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
    const bytes = (one: Buffer): Buffer => one
    const stream = clientOf(server).makeBidiStreamRequest(name, bytes, bytes)
    stream.end(Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)]))
    return new Promise((resolve, reject) => {
      stream.on('data', (answer: Buffer) => resolve(answer.toString('latin1')))
      stream.on('error', (error: ServiceError) => reject(error))
    })
  }

  it.each(['v1', 'v1alpha'])(
    'L9: %s names the services and describes their messages, when it is on',
    async version => {
      const server = await served({ reflection: true })
      const services = await asked(server, version, LIST_SERVICES, '*')
      for (const name of ['GrpcMessageService', 'sgs.presence.v1.PresenceService', 'grpc.health.v1.Health']) {
        expect(services).toContain(name)
      }
      const file = await asked(server, version, FILE_CONTAINING_SYMBOL, 'sgs.presence.v1.PresenceService')
      // The library has a dot before what is in no package.
      const original = await asked(server, version, FILE_CONTAINING_SYMBOL, '.GrpcMessageService')
      expect(original).toContain('ChatSubscribeRequest')
      for (const name of ['sgs/presence/v1/presence.proto', 'SessionReport', 'incarnation']) {
        expect(file).toContain(name)
      }
    },
  )

  it('L9: is not there otherwise', async () => {
    const server = await served()
    await expect(asked(server, 'v1', LIST_SERVICES, '*')).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    })
  })
})
