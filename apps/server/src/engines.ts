import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import type { KafkaChatLogOptions } from '@sgs-chat/kafka'
import type { MongodbOptions } from '@sgs-chat/mongodb'
import type { S3Options } from '@sgs-chat/s3'
import { KAFKA_LIMITS, MONGODB_LIMITS, S3_LIMITS } from './config/engine-settings.ts'
import { limitsFrom } from './config/limit-settings.ts'
import type { Config } from './config.ts'
import { StartError } from './start-error.ts'

/** What the settings say of the shared engines, as their adapters take it; and how operators are told of each. */

export const KAFKA = { what: 'the log in Kafka', setting: 'KAFKA_BROKERS' } as const
export const MONGODB = { what: 'the history in MongoDB', setting: 'MONGODB_URL' } as const
export const BRIDGE = { what: 'the bridge to the Java servers', setting: 'KAFKA_BROKERS' } as const
export const S3 = { what: 'the files in S3', setting: 'S3_ENDPOINT' } as const

/** @throws StartError for a certificate or key that cannot be read */
export async function kafkaOptions(config: Config): Promise<KafkaChatLogOptions> {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = config
  const hasSasl = mechanism !== undefined && username !== undefined && password !== undefined
  return {
    brokers: config.KAFKA_BROKERS ?? [],
    topic: config.KAFKA_TOPIC,
    archiveGroup: config.KAFKA_ARCHIVE_GROUP,
    partitions: config.KAFKA_PARTITIONS,
    retentionMs: config.KAFKA_RETENTION_MS,
    allowWeakTopic: config.KAFKA_ALLOW_WEAK_TOPIC,
    ssl: config.KAFKA_SSL && (await tlsOptions(config)),
    ...(config.KAFKA_REPLICATION === undefined ? {} : { replication: config.KAFKA_REPLICATION }),
    ...(hasSasl ? { sasl: { mechanism, username, password } } : {}),
    ...limitsFrom(config, 'KAFKA_', KAFKA_LIMITS),
  }
}

async function tlsOptions(config: Config): Promise<ConnectionOptions> {
  const options: ConnectionOptions = {}
  for (const [name, setting] of [
    ['ca', 'KAFKA_SSL_CA'],
    ['cert', 'KAFKA_SSL_CERT'],
    ['key', 'KAFKA_SSL_KEY'],
  ] as const) {
    const path = config[setting]
    if (path !== undefined) options[name] = await pemFile(setting, path)
  }
  return options
}

async function pemFile(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new StartError(setting, 'is not the path of a file that can be read', { cause })
  }
}

export function mongodbOptions(config: Config): MongodbOptions {
  const { MONGODB_DATABASE: database, CHAT_TIME_ZONE: timeZone } = config
  return {
    url: config.MONGODB_URL ?? '',
    collection: config.MONGODB_COLLECTION,
    ...(database === undefined ? {} : { database }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...limitsFrom(config, 'MONGODB_', MONGODB_LIMITS),
  }
}

export function s3Options(config: Config): S3Options {
  const { S3_ENDPOINT: endpoint, S3_PATH_STYLE: forcePathStyle, S3_SSE, S3_SSE_KMS_KEY_ID: kmsKeyId } = config
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = config
  const { AWS_SESSION_TOKEN: sessionToken, S3_PUBLIC_ENDPOINT: publicEndpoint } = config
  const hasCredentials = accessKeyId !== undefined && secretAccessKey !== undefined
  return {
    bucket: config.S3_BUCKET ?? '',
    region: config.S3_REGION,
    maxOpenFiles: config.MAX_OPEN_FILES,
    direct: isDirect(config),
    ...(publicEndpoint === undefined ? {} : { publicEndpoint }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
    ...(hasCredentials
      ? {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }
      : {}),
    ...(S3_SSE === 'AES256' ? { sse: S3_SSE } : {}),
    ...(S3_SSE === 'aws:kms' && kmsKeyId !== undefined ? { sse: { kmsKeyId } } : {}),
    ...limitsFrom(config, 'S3_', S3_LIMITS),
  }
}

/** AWS is reached from everywhere; an address of one's own network mostly is not. */
function isDirect({ S3_DELIVERY, S3_PUBLIC_ENDPOINT, S3_ENDPOINT }: Config): boolean {
  const isReached = S3_PUBLIC_ENDPOINT !== undefined || S3_ENDPOINT === undefined
  return (S3_DELIVERY ?? (isReached ? 'direct' : 'stream')) === 'direct'
}

/** Where browsers are sent to for files, beside this server. */
export function fileOrigins(config: Config): readonly string[] {
  const { S3_BUCKET, S3_REGION, S3_ENDPOINT, S3_PUBLIC_ENDPOINT = S3_ENDPOINT, S3_PATH_STYLE } = config
  if (S3_BUCKET === undefined || !isDirect(config)) return []
  const { protocol, host } = new URL(S3_PUBLIC_ENDPOINT ?? `https://s3.${S3_REGION}.amazonaws.com`)
  const isPathStyle = S3_PATH_STYLE ?? S3_PUBLIC_ENDPOINT !== undefined
  return [`${protocol}//${isPathStyle ? '' : `${S3_BUCKET}.`}${host}`]
}
