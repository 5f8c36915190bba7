/** What a chat goes through, in the order of the tables. */
export const PROFILES = ['kafkajs', 'embedded', 'kafka-1', 'kafka-3'] as const
export type Profile = (typeof PROFILES)[number]

/** The servers that all Kafka profiles stand on. */
export interface KafkaServices {
  readonly brokers: readonly string[]
  readonly mongodbUrl: string
}

export const TITLES: Readonly<Record<Profile, string>> = {
  kafkajs: 'kafkajs alone: produce + consume',
  embedded: 'ours, embedded (SQLite)',
  'kafka-1': 'ours, Kafka, 1 node',
  'kafka-3': 'ours, Kafka, 3 nodes',
}

/** Where the services are, as `tools/services/*.sh up` print it; undefined: only the embedded profile can be measured. */
export function kafkaServices(environment: NodeJS.ProcessEnv = process.env): KafkaServices | undefined {
  const { KAFKA_BROKERS: brokers, MONGODB_URL: mongodbUrl } = environment
  return brokers === undefined || mongodbUrl === undefined
    ? undefined
    : { brokers: brokers.split(','), mongodbUrl }
}

export function nodesOf(profile: Exclude<Profile, 'kafkajs'>): number {
  return profile === 'kafka-3' ? 3 : 1
}
