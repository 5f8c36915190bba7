import type { BridgeDirection, KafkaBridgeOptions } from '@sgs-chat/kafka'
import { limitSettings } from './limit-settings.ts'
import type { GivenSettings } from './mixtures.ts'
import { choice, optional, withDefault } from './setting.ts'
import { parseTopics } from './setting-values.ts'

/** Defaults of `kafkaBridge`, under the names of its options. */
export const BRIDGE_LIMITS: Readonly<
  Record<keyof Pick<KafkaBridgeOptions, 'lookbackRecords' | 'exportBatchBytes'>, number>
> = { lookbackRecords: 10_000, exportBatchBytes: 524_288 }

const DIRECTIONS: readonly [BridgeDirection, ...BridgeDirection[]] = ['both', 'in', 'out']

/** The bridge to the Java servers, while a migration runs. */
export const bridgeSettings = {
  KAFKA_BRIDGE_TOPICS: optional<readonly string[]>({
    about: 'topics of the Java servers that chats are brought from and to; without it there is no bridge',
    allowed: 'a comma list of topics such as studyhub-1,studyhub-2,studyhub-3',
    parse: parseTopics,
  }),
  KAFKA_BRIDGE_EXPORT_TOPICS: optional<readonly string[]>({
    about: 'those of them that chats are brought to; room r goes to the one numbered r % their number',
    allowed: 'a comma list of topics of KAFKA_BRIDGE_TOPICS',
    byDefault: 'all, in their order',
    parse: parseTopics,
  }),
  KAFKA_BRIDGE_DIRECTION: choice(
    'in: chats only come from the Java servers; out: they only go there',
    DIRECTIONS,
    'both',
  ),
  KAFKA_BRIDGE_GROUP: withDefault('sgs-chat-bridge', {
    about: 'consumer group of the members that can have the bridge',
    allowed: "the name of a group that is not the Java servers' (pnu-cse)",
    byDefault: 'sgs-chat-bridge',
    parse: text => (text === 'pnu-cse' || text === '' ? undefined : text),
  }),
  ...limitSettings(
    'KAFKA_BRIDGE_',
    {
      lookbackRecords: { about: 'how far back an exported chat is recognised, in each partition', min: 0 },
      exportBatchBytes: "one batch of chats to the Java servers' topics",
    },
    BRIDGE_LIMITS,
  ),
}

/** What no setting of the bridge is guilty of alone (SPEC G1.1). */
export function bridgeProblems(given: GivenSettings): readonly string[] {
  const problems: string[] = []
  const others = Object.keys(given).filter(name => name.startsWith('KAFKA_BRIDGE_'))
  const topics = parseTopics(given.KAFKA_BRIDGE_TOPICS ?? '')
  if (topics === undefined) {
    for (const name of others) {
      if (name !== 'KAFKA_BRIDGE_TOPICS') problems.push(`${name} has no effect without KAFKA_BRIDGE_TOPICS`)
    }
    return problems
  }
  const log = given.KAFKA_TOPIC?.trim() ?? 'sgs-chat-log'
  if (topics.includes(log)) {
    problems.push(
      `KAFKA_TOPIC must not be in KAFKA_BRIDGE_TOPICS: the log's topic (${log}) belongs to this system alone`,
    )
  }
  const astray =
    parseTopics(given.KAFKA_BRIDGE_EXPORT_TOPICS ?? '')?.filter(topic => !topics.includes(topic)) ?? []
  for (const topic of astray)
    problems.push(`KAFKA_BRIDGE_EXPORT_TOPICS must name topics of KAFKA_BRIDGE_TOPICS, not ${topic}`)
  const group = given.KAFKA_BRIDGE_GROUP?.trim() ?? 'sgs-chat-bridge'
  if (group === (given.KAFKA_ARCHIVE_GROUP?.trim() ?? 'sgs-chat-archive'))
    problems.push('KAFKA_BRIDGE_GROUP must be another group than KAFKA_ARCHIVE_GROUP')
  return problems
}
