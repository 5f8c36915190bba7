export { type BumpedKafkaEpoch, bumpKafkaEpoch } from './bump-kafka-epoch.ts'
export { type KafkaChatLog, type KafkaLogCounters, kafkaChatLog } from './kafka-chat-log.ts'
export type { BrokerAddress, KafkaChatLogOptions, KafkaEpoch, KafkaSasl } from './kafka-options.ts'
