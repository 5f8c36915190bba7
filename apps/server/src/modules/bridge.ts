import { kafkaBridge } from '@sgs-chat/kafka'
import { ContainerModule } from 'inversify'
import { BRIDGE_LIMITS } from '../config/bridge-settings.ts'
import { limitsFrom } from '../config/limit-settings.ts'
import type { Config } from '../config.ts'
import { BRIDGE, kafkaOptions } from '../engines.ts'
import { T } from '../tokens.ts'

/** The bridge to the Java servers' topics; nothing without KAFKA_BRIDGE_TOPICS. */
export function bridge(config: Config): ContainerModule {
  return new ContainerModule(({ bind }) => {
    const { KAFKA_BRIDGE_TOPICS: bridgeTopics, KAFKA_BRIDGE_EXPORT_TOPICS: exportTopics } = config
    if (bridgeTopics === undefined) return
    bind(T.Bridge)
      .toResolvedValue(
        async (settings, waiting, meter, clock, logger) => {
          const { CHAT_TIME_ZONE: bridgeTimeZone } = settings
          const options = {
            ...(await kafkaOptions(settings)),
            bridgeTopics,
            direction: settings.KAFKA_BRIDGE_DIRECTION,
            bridgeGroup: settings.KAFKA_BRIDGE_GROUP,
            ...(exportTopics === undefined ? {} : { exportTopics }),
            ...(bridgeTimeZone === undefined ? {} : { bridgeTimeZone }),
            ...limitsFrom(settings, 'KAFKA_BRIDGE_', BRIDGE_LIMITS),
            meter,
            clock,
            logger,
          }
          return waiting.open(BRIDGE, () => kafkaBridge(options))
        },
        [T.Config, T.Waiting, T.Meter, T.Clock, T.Logger],
      )
      .inSingletonScope()
  })
}
