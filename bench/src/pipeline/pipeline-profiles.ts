/** What a chat goes through, in the order of the tables; the last two are measured only when they are asked for. */
export const PROFILES = [
  'kafkajs',
  'embedded',
  'kafka-1',
  'kafka-3',
  'kafka-3-placed',
  'kafka-3-interest',
] as const
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
  'kafka-3-placed': 'the same, each partition’s rooms on one node',
  'kafka-3-interest': 'the same, with KAFKA_FOLLOW=interest',
}

/** Where the services are, as `tools/services/*.sh up` print it; undefined: only the embedded profile can be measured. */
export function kafkaServices(environment: NodeJS.ProcessEnv = process.env): KafkaServices | undefined {
  const { KAFKA_BROKERS: brokers, MONGODB_URL: mongodbUrl } = environment
  return brokers === undefined || mongodbUrl === undefined
    ? undefined
    : { brokers: brokers.split(','), mongodbUrl }
}

export function nodesOf(profile: Exclude<Profile, 'kafkajs'>): number {
  return profile.startsWith('kafka-3') ? 3 : 1
}

/** Whether the members of a partition's rooms are all on one node. */
export function isPlaced(profile: Profile): boolean {
  return profile === 'kafka-3-placed' || profile === 'kafka-3-interest'
}

/** Settings of a profile's nodes beside those of its engines. */
export function settingsOf(profile: Profile): Readonly<Record<string, string>> {
  return profile === 'kafka-3-interest' ? { KAFKA_FOLLOW: 'interest', FOLLOW_REST_MS: '200' } : {}
}
