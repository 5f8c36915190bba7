import { randomUUID } from 'node:crypto'
import { type Service, useService } from '../../../../tools/services/use-service.ts'
import { SECRET } from '../e2e/server-process.ts'

/** The three servers that a production profile stands on. */
export interface SharedServices {
  readonly kafka: Service
  readonly mongodb: Service
  readonly s3: Service
}

/** Undefined: one of them is not to be had, which was said. */
export async function sharedServices(): Promise<SharedServices | undefined> {
  const [kafka, mongodb, s3] = await Promise.all([
    useService('kafka'),
    useService('mongodb'),
    useService('s3'),
  ])
  return kafka && mongodb && s3 && { kafka, mongodb, s3 }
}

/** Settings of a cluster of its own: no other test's log, history or group. */
export function clusterSettings({ kafka, mongodb, s3 }: SharedServices): Record<string, string> {
  const name = `cluster-${randomUUID()}`
  const { S3_REGION = '', S3_BUCKET = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = s3.env
  return {
    KAFKA_BROKERS: kafka.address,
    KAFKA_TOPIC: name,
    KAFKA_ARCHIVE_GROUP: name,
    KAFKA_PARTITIONS: '3',
    MONGODB_URL: mongodb.address,
    MONGODB_DATABASE: name,
    S3_ENDPOINT: s3.address,
    S3_REGION,
    S3_BUCKET,
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
    JWT_SECRET: SECRET,
    // Nobody is there: chat does not need it.
    STATE_SERVER: 'tcp+lease://127.0.0.1:1',
    PUBLIC_URL: 'http://chat.test',
    RATE_LIMIT: 'off',
    RETRY_MAX_MS: '300',
  }
}
