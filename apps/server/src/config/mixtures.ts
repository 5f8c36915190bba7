/** The settings as they were given, by name; what was left out is absent. */
export type GivenSettings = Readonly<Record<string, string>>

/** What several nodes must have in common, and what of it belongs to one node as long as it is not set (SPEC G9.1). */
const SHARED: readonly (readonly [setting: string, otherwise: string])[] = [
  ['MONGODB_URL', "else the history is in DATA_DIR, which is one node's"],
  ['S3_BUCKET', "else files are in DATA_DIR, which is one node's"],
]

/** Which engines do not go together (SPEC G9.1). Several nodes share a log, so they must share everything that hangs on it. */
export function mixtureProblems(given: GivenSettings): readonly string[] {
  const problems: string[] = []
  if ('MONGODB_URL' in given && !('KAFKA_BROKERS' in given)) {
    problems.push(
      'MONGODB_URL needs KAFKA_BROKERS: a log in DATA_DIR is trimmed by the history in its own file alone, and would grow without end',
    )
  }
  if (!('KAFKA_BROKERS' in given) || isSingleNode(given)) return problems
  for (const [setting, otherwise] of SHARED) {
    if (!(setting in given))
      problems.push(`${setting} must be set with KAFKA_BROKERS, ${otherwise}; or set SINGLE_NODE=true`)
  }
  if (!('FILE_LINK_SECRET' in given) && 'JWT_PUBLIC_KEY' in given) {
    problems.push(
      'FILE_LINK_SECRET must be set with KAFKA_BROKERS and JWT_PUBLIC_KEY, else each node signs links to files with a key of its own; or set SINGLE_NODE=true',
    )
  }
  if (!usesStateServer(given)) {
    problems.push(
      'STATE_SERVER must name a state server with KAFKA_BROKERS, else each node knows who is in a room of its own clients alone; or set SINGLE_NODE=true',
    )
  }
  if (!('JWT_SECRET' in given) && !('JWT_PUBLIC_KEY' in given)) {
    problems.push(
      'JWT_SECRET or JWT_PUBLIC_KEY must be set with KAFKA_BROKERS, else each node has a key of its own; or set SINGLE_NODE=true',
    )
  }
  return problems
}

/** What is allowed, and worse than somebody may think. */
export function mixtureWarnings(given: GivenSettings): readonly string[] {
  if (!('KAFKA_BROKERS' in given) || isSingleNode(given)) return []
  return 'PUBLIC_URL' in given
    ? []
    : ['PUBLIC_URL is not set: links to files lead to the node that made them, and not to a balancer']
}

function usesStateServer({ STATE_SERVER = 'embedded' }: GivenSettings): boolean {
  return STATE_SERVER.split(',').every(one => one.trim() !== 'embedded')
}

function isSingleNode({ SINGLE_NODE }: GivenSettings): boolean {
  return SINGLE_NODE === 'true' || SINGLE_NODE === '1'
}

/** Settings of an engine have no effect without the one that chooses it; that one may be forgotten, or its name misspelt. */
const CHOSEN_BY: readonly (readonly [prefix: string, setting: string])[] = [
  ['KAFKA_', 'KAFKA_BROKERS'],
  ['MONGODB_', 'MONGODB_URL'],
  ['S3_', 'S3_BUCKET'],
]

export function engineProblems(given: GivenSettings): readonly string[] {
  const problems = Object.keys(given).flatMap(name => {
    const chosenBy = CHOSEN_BY.find(([prefix]) => name.startsWith(prefix))?.[1]
    return chosenBy === undefined || chosenBy in given ? [] : [`${name} has no effect without ${chosenBy}`]
  })
  const together = (first: string, second: string): void => {
    if (first in given !== second in given)
      problems.push(`${first} and ${second} must both be set, or neither`)
  }
  together('KAFKA_USERNAME', 'KAFKA_PASSWORD')
  together('KAFKA_SASL_MECHANISM', 'KAFKA_USERNAME')
  together('KAFKA_SSL_CERT', 'KAFKA_SSL_KEY')
  // Elsewhere they may be somebody else's.
  if ('S3_BUCKET' in given) together('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY')
  const usesTls = given.KAFKA_SSL === 'true' || given.KAFKA_SSL === '1'
  for (const name of ['KAFKA_SSL_CA', 'KAFKA_SSL_CERT']) {
    if (name in given && !usesTls) problems.push(`${name} has no effect without KAFKA_SSL=true`)
  }
  if ('S3_SSE_KMS_KEY_ID' in given !== (given.S3_SSE?.trim() === 'aws:kms'))
    problems.push('S3_SSE_KMS_KEY_ID must be set with S3_SSE=aws:kms, and with nothing else')
  return problems
}
