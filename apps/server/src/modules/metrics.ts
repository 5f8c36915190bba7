import { type Closeable, type Meter, silentMeter } from '@sgs-chat/core'
import { metricsEndpoint, prometheusMeter } from '@sgs-chat/prometheus'
import { ContainerModule } from 'inversify'
import type { Config } from '../config.ts'
import { listenError } from '../start-error.ts'
import { T } from '../tokens.ts'

/** What is counted, and where Prometheus reads it; nothing of both unless METRICS_PORT is set. */
export interface Metrics extends Closeable {
  readonly meter: Meter
  /** Where it listens; undefined: nowhere. */
  readonly port: number | undefined
}

export const metrics: ContainerModule = new ContainerModule(({ bind }) => {
  bind(T.Metrics).toResolvedValue(openMetrics, [T.Config]).inSingletonScope()
  bind(T.Meter)
    .toResolvedValue(({ meter }) => meter, [T.Metrics])
    .inSingletonScope()
})

async function openMetrics({ METRICS_PORT: port, METRICS_HOST: host }: Config): Promise<Metrics> {
  if (port === undefined) {
    return { meter: silentMeter, port, close: async () => {}, [Symbol.asyncDispose]: async () => {} }
  }
  const meter = prometheusMeter()
  const endpoint = await metricsEndpoint({ meter, host, port }).catch((cause: unknown) => {
    throw listenError({ port: 'METRICS_PORT', host: 'METRICS_HOST' }, { port, host }, cause)
  })
  return {
    meter,
    port: endpoint.port,
    close: () => endpoint.close(),
    [Symbol.asyncDispose]: () => endpoint.close(),
  }
}
