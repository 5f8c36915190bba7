import { systemClock, systemIds } from '@sgs-chat/node'
import { ContainerModule } from 'inversify'
import { addressOf } from '../address.ts'
import type { Config } from '../config.ts'
import { loadKeys } from '../keys.ts'
import { pinoLogger } from '../logger.ts'
import { T } from '../tokens.ts'
import { Waiting } from '../waiting.ts'

/** What everything else stands on. */
export function foundation(config: Config): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(T.Config).toConstantValue(config)
    bind(T.Logger)
      .toResolvedValue(({ LOG_LEVEL }) => pinoLogger(LOG_LEVEL), [T.Config])
      .inSingletonScope()
    bind(T.Clock)
      .toResolvedValue(() => systemClock())
      .inSingletonScope()
    bind(T.Ids)
      .toResolvedValue(() => systemIds())
      .inSingletonScope()
    bind(T.Waiting)
      .toResolvedValue(
        ({ RETRY_MS, RETRY_MAX_MS, LISTEN_AFTER_MS }, clock, logger) =>
          new Waiting({
            clock,
            logger,
            retryMs: RETRY_MS,
            retryMaxMs: RETRY_MAX_MS,
            listenAfterMs: LISTEN_AFTER_MS,
          }),
        [T.Config, T.Clock, T.Logger],
      )
      .inSingletonScope()
    bind(T.Address).toResolvedValue(addressOf, [T.Config]).inSingletonScope()
    bind(T.Keys).toResolvedValue(loadKeys, [T.Config]).inSingletonScope()
  })
}
