import type { KafkaChatLogOptions, KafkaSasl } from '@sgs-chat/kafka'
import type { MongodbOptions } from '@sgs-chat/mongodb'
import type { S3Options } from '@sgs-chat/s3'
import { limitSettings, type NumbersOf } from './limit-settings.ts'
import { choice, flag, integer, optional, withDefault } from './setting.ts'
import { parseBrokers, parseHttpUrl, parseMongodbUrl, parseRetention, some } from './setting-values.ts'

/** Defaults of `kafkaChatLog`, under the names of its options; the rest of its numbers is not for operators. */
export const KAFKA_LIMITS: Readonly<
  Record<
    Exclude<
      NumbersOf<KafkaChatLogOptions>,
      'partitions' | 'replication' | 'retentionMs' | 'consumerRetryMs' | 'drainMs'
    >,
    number
  >
> = {
  appendTimeoutMs: 10_000,
  requestTimeoutMs: 5_000,
  connectTimeoutMs: 3_000,
  maxPendingBytes: 16_777_216,
  maxBatchBytes: 4_194_304,
  fetchBytes: 1_048_576,
  sessionTimeoutMs: 10_000,
  heartbeatMs: 1_000,
}

const WEEK_MS = 604_800_000

/** The log in Apache Kafka. */
export const kafkaSettings = {
  KAFKA_BROKERS: optional<readonly string[]>({
    about: 'some brokers of the Kafka that keeps the log; without it the log is in DATA_DIR',
    allowed: 'a comma list of host:port',
    parse: parseBrokers,
  }),
  KAFKA_TOPIC: withDefault('sgs-chat-log', {
    about: 'topic of the log; it belongs to this system alone, and is made when it is missing',
    allowed: "the name of a topic that is not one of the Java servers' (studyhub, studyhub-1 to studyhub-3)",
    byDefault: 'sgs-chat-log',
    parse: text =>
      /^[A-Za-z0-9._-]{1,240}$/.test(text) && !/^studyhub(-[123])?$/.test(text) ? text : undefined,
  }),
  KAFKA_ARCHIVE_GROUP: withDefault('sgs-chat-archive', {
    about: 'consumer group of the members that fill the history',
    allowed: "the name of a group that is not the Java servers' (pnu-cse)",
    byDefault: 'sgs-chat-archive',
    parse: text => (text === 'pnu-cse' ? undefined : some(text)),
  }),
  KAFKA_PARTITIONS: integer({
    about: 'partitions of a topic that is made; one that is there keeps its own',
    byDefault: 12,
    min: 1,
    max: 10_000,
  }),
  KAFKA_REPLICATION: optional<number>({
    about: 'copies of a topic that is made',
    allowed: 'an integer from 1 to 100',
    byDefault: '3, or the number of brokers if that is less',
    parse: text => (/^([1-9]\d?|100)$/.test(text) ? Number(text) : undefined),
  }),
  KAFKA_RETENTION_MS: withDefault(WEEK_MS, {
    about: 'how long a topic that is made keeps its records; -1: for ever',
    allowed: 'an integer 60000 or more, or -1',
    unit: 'ms',
    byDefault: String(WEEK_MS),
    parse: parseRetention,
  }),
  KAFKA_FOLLOW: choice(
    'which partitions a node follows; interest: only those that its clients need',
    ['all', 'interest'],
    'all',
  ),
  KAFKA_ALLOW_WEAK_TOPIC: flag('whether a topic may be used that can lose acknowledged chats', false),
  KAFKA_SSL: flag('whether the brokers are spoken to by TLS', false),
  KAFKA_SSL_CA: optional({
    about: "certificates of whoever signed the brokers', instead of the public authorities",
    allowed: 'the path of a PEM file',
    parse: some,
  }),
  KAFKA_SSL_CERT: optional({
    about: 'certificate that the brokers know this server by',
    allowed: 'the path of a PEM file',
    parse: some,
  }),
  KAFKA_SSL_KEY: optional({
    about: 'private key of KAFKA_SSL_CERT',
    allowed: 'the path of a PEM file',
    parse: some,
  }),
  KAFKA_SASL_MECHANISM: optional<KafkaSasl['mechanism']>({
    about: 'how the brokers are told who this server is',
    allowed: 'plain | scram-sha-256 | scram-sha-512',
    parse: text => SASL_MECHANISMS.find(one => one === text.toLowerCase()),
  }),
  KAFKA_USERNAME: optional({ about: 'user of KAFKA_SASL_MECHANISM', allowed: 'a name', parse: some }),
  KAFKA_PASSWORD: optional({
    about: 'password of KAFKA_USERNAME',
    allowed: 'a text that is not empty',
    secret: true,
    parse: some,
  }),
  ...limitSettings(
    'KAFKA_',
    {
      appendTimeoutMs: 'how long a send may wait for the brokers, all tries together',
      requestTimeoutMs: 'how long one try may go without an answer',
      connectTimeoutMs: 'how long a connection to a broker may take',
      maxPendingBytes: 'what waits for the brokers',
      maxBatchBytes: 'one append: a chat or a transaction',
      fetchBytes: 'what one fetch brings of a partition',
      sessionTimeoutMs: 'an archiving member silent for this long loses its partitions',
      heartbeatMs: 'how often an archiving member says that it is there',
    },
    KAFKA_LIMITS,
  ),
}

const SASL_MECHANISMS: readonly KafkaSasl['mechanism'][] = ['plain', 'scram-sha-256', 'scram-sha-512']

export const MONGODB_LIMITS: Readonly<Record<Exclude<NumbersOf<MongodbOptions>, 'closeTimeoutMs'>, number>> =
  {
    timeoutMs: 5_000,
    selectionTimeoutMs: 3_000,
    indexTimeoutMs: 600_000,
    maxConnections: 20,
  }

/** The history in MongoDB. */
export const mongodbSettings = {
  MONGODB_URL: optional({
    about: 'the MongoDB that keeps the history; without it the history is in DATA_DIR',
    allowed: 'a URL that begins with mongodb:// or mongodb+srv://',
    secret: true,
    parse: parseMongodbUrl,
  }),
  MONGODB_DATABASE: optional({
    about: 'database of the history',
    allowed: 'the name of a database',
    byDefault: 'the one in MONGODB_URL, else test',
    parse: text => (/^[^/\\. "$*<>:|?]{1,63}$/.test(text) ? text : undefined),
  }),
  MONGODB_COLLECTION: withDefault('chat', {
    about: 'collection of the history; beside it lies {collection}Watermark',
    allowed: 'the name of a collection',
    byDefault: 'chat',
    parse: text => (/^[^$]{1,100}$/.test(text) && !text.startsWith('system.') ? text : undefined),
  }),
  ...limitSettings(
    'MONGODB_',
    {
      timeoutMs: 'how long one call may take',
      selectionTimeoutMs: 'how long a call may look for a server that can take it',
      indexTimeoutMs: 'how long the first start may take to make the index',
      maxConnections: 'calls under way at once',
    },
    MONGODB_LIMITS,
  ),
}

/** The smallest part that S3 takes. */
const MIN_PART_BYTES = 5_242_880

export const S3_LIMITS: Readonly<
  Record<Exclude<NumbersOf<S3Options>, 'closeTimeoutMs' | 'maxOpenFiles'>, number>
> = {
  partBytes: MIN_PART_BYTES,
  timeoutMs: 15_000,
  abandonedAfterMs: 86_400_000,
}

/** The files in S3. */
export const s3Settings = {
  S3_BUCKET: optional({
    about: 'bucket that keeps the files; without it they are in DATA_DIR/files',
    allowed: 'the name of a bucket',
    parse: text => (/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(text) ? text : undefined),
  }),
  S3_ENDPOINT: optional({
    about: 'where S3 is reached',
    allowed: 'an http(s) URL',
    byDefault: "AWS's own, by S3_REGION",
    parse: parseHttpUrl,
  }),
  S3_PUBLIC_ENDPOINT: optional({
    about: 'where browsers reach S3, when that is another address',
    allowed: 'an http(s) URL',
    byDefault: 'S3_ENDPOINT',
    parse: parseHttpUrl,
  }),
  S3_DELIVERY: optional<'direct' | 'stream'>({
    about: 'whether browsers load files from S3 and upload to it, or all goes through this server',
    allowed: 'direct | stream',
    byDefault: 'direct with S3_PUBLIC_ENDPOINT or without S3_ENDPOINT, else stream',
    parse: text => (text === 'direct' || text === 'stream' ? text : undefined),
  }),
  S3_REGION: withDefault('us-east-1', {
    about: 'region of the bucket',
    allowed: 'the name of a region',
    byDefault: 'us-east-1',
    parse: text => (/^[a-z0-9-]{1,64}$/.test(text) ? text : undefined),
  }),
  S3_PATH_STYLE: optional<boolean>({
    about: 'whether the bucket is in the path of its address, not in its host name',
    allowed: 'true | false',
    byDefault: 'true with S3_ENDPOINT, else false',
    parse: text => (text === 'true' ? true : text === 'false' ? false : undefined),
  }),
  S3_SSE: choice(
    'how S3 encrypts the files; none: as the bucket says',
    ['none', 'AES256', 'aws:kms'],
    'none',
  ),
  S3_SSE_KMS_KEY_ID: optional({
    about: 'key of S3_SSE=aws:kms',
    allowed: 'the id, alias or ARN of a KMS key',
    parse: some,
  }),
  AWS_ACCESS_KEY_ID: optional({
    about: 'who S3 is told this server is',
    allowed: 'an access key id',
    byDefault: "what AWS's own client finds: its files, the role of the machine",
    secret: true,
    parse: some,
  }),
  AWS_SECRET_ACCESS_KEY: optional({
    about: 'secret of AWS_ACCESS_KEY_ID',
    allowed: 'a text that is not empty',
    secret: true,
    parse: some,
  }),
  AWS_SESSION_TOKEN: optional({
    about: 'token of temporary credentials',
    allowed: 'a text that is not empty',
    secret: true,
    parse: some,
  }),
  ...limitSettings(
    'S3_',
    {
      partBytes: {
        about: 'a larger file goes up in parts of it; one upload holds one in memory',
        min: MIN_PART_BYTES,
      },
      timeoutMs: 'how long one request, or the wait for more of an answer, may take',
      abandonedAfterMs: 'an upload begun longer ago and never ended is removed at start',
    },
    S3_LIMITS,
  ),
}
