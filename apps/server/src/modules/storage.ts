import { join } from 'node:path'
import type { ChatHistory } from '@sgs-chat/core'
import { diskAttachmentStore } from '@sgs-chat/disk'
import { kafkaChatLog } from '@sgs-chat/kafka'
import { mongodbChatHistory } from '@sgs-chat/mongodb'
import { s3AttachmentStore } from '@sgs-chat/s3'
import { type SqliteChatStore, sqliteChatStore } from '@sgs-chat/sqlite'
import { ContainerModule, type ContainerModuleLoadOptions } from 'inversify'
import { limitsFrom } from '../config/limit-settings.ts'
import { SQLITE_LIMITS } from '../config/transport-limit-settings.ts'
import type { Config } from '../config.ts'
import { KAFKA, kafkaOptions, MONGODB, mongodbOptions, S3, s3Options } from '../engines.ts'
import { LogWatch } from '../log-watch.ts'
import { T } from '../tokens.ts'

/** The file keeps a record at least until it is archived. */
const FOR_EVER = -1

type Bind = ContainerModuleLoadOptions['bind']

/** Where chats and files are kept: each on this machine, unless a setting names a shared engine for it. */
export function storage(config: Config): ContainerModule {
  const usesKafka = config.KAFKA_BROKERS !== undefined
  const usesMongodb = config.MONGODB_URL !== undefined
  return new ContainerModule(({ bind }) => {
    // The file's own log is for the history beside it alone: see mixtureProblems.
    if (!usesMongodb) bindSqlite(bind)
    if (usesKafka) bindKafkaLog(bind)
    else bindSqliteLog(bind)
    if (usesMongodb) bindMongodbHistory(bind)
    else bindSqliteHistory(bind, usesKafka)
    if (config.S3_BUCKET === undefined) bindDiskFiles(bind)
    else bindS3Files(bind)
    bindWatch(bind)
  })
}

function bindSqlite(bind: Bind): void {
  bind(T.SqliteStore)
    .toResolvedValue(
      (config, logger, clock) =>
        sqliteChatStore({
          path: join(config.DATA_DIR, 'chat.sqlite'),
          logger,
          clock,
          ...limitsFrom(config, 'SQLITE_', SQLITE_LIMITS),
        }),
      [T.Config, T.Logger, T.Clock],
    )
    .inSingletonScope()
}

function bindSqliteLog(bind: Bind): void {
  bind(T.ChatLog)
    .toResolvedValue(store => store.log, [T.SqliteStore])
    .inSingletonScope()
  bind(T.LogRetention).toConstantValue(FOR_EVER)
}

function bindSqliteHistory(bind: Bind, isAlone: boolean): void {
  bind(T.ChatHistory)
    .toResolvedValue(store => (isAlone ? historyAlone(store) : store.history), [T.SqliteStore])
    .inSingletonScope()
}

/** The history of another log: the file's own is closed, and stays empty. */
async function historyAlone({ log, history }: SqliteChatStore): Promise<ChatHistory> {
  await log.close()
  return history
}

function bindKafkaLog(bind: Bind): void {
  bind(T.KafkaLog)
    .toResolvedValue(
      async (config, waiting, clock, logger) => {
        const options = await kafkaOptions(config)
        return waiting.open(KAFKA, () => kafkaChatLog({ ...options, clock, logger }))
      },
      [T.Config, T.Waiting, T.Clock, T.Logger],
    )
    .inSingletonScope()
  bind(T.ChatLog)
    .toResolvedValue(log => log, [T.KafkaLog])
    .inSingletonScope()
  bind(T.LogRetention)
    .toResolvedValue(log => log.retentionMs, [T.KafkaLog])
    .inSingletonScope()
}

function bindMongodbHistory(bind: Bind): void {
  bind(T.ChatHistory)
    .toResolvedValue(
      (config, waiting, clock, logger) =>
        waiting.open(MONGODB, () => mongodbChatHistory({ ...mongodbOptions(config), clock, logger })),
      [T.Config, T.Waiting, T.Clock, T.Logger],
    )
    .inSingletonScope()
}

function bindDiskFiles(bind: Bind): void {
  bind(T.AttachmentStore)
    .toResolvedValue(
      (config, logger, clock) =>
        diskAttachmentStore({
          folder: join(config.DATA_DIR, 'files'),
          maxOpenFiles: config.MAX_OPEN_FILES,
          logger,
          clock,
        }),
      [T.Config, T.Logger, T.Clock],
    )
    .inSingletonScope()
}

function bindS3Files(bind: Bind): void {
  bind(T.AttachmentStore)
    .toResolvedValue(
      (config, waiting, clock, logger) =>
        waiting.open(S3, () => s3AttachmentStore({ ...s3Options(config), clock, logger })),
      [T.Config, T.Waiting, T.Clock, T.Logger],
    )
    .inSingletonScope()
}

function bindWatch(bind: Bind): void {
  bind(T.LogWatch)
    .toResolvedValue(
      (config, log, retentionMs, history, waiting, clock, logger) =>
        new LogWatch({
          log,
          history,
          waiting,
          clock,
          logger,
          retentionMs,
          intervalMs: config.WATCH_INTERVAL_MS,
          setting: config.KAFKA_BROKERS === undefined ? 'DATA_DIR' : KAFKA.setting,
        }),
      [T.Config, T.ChatLog, T.LogRetention, T.ChatHistory, T.Waiting, T.Clock, T.Logger],
    )
    .inSingletonScope()
}
