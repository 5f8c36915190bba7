import { join } from 'node:path'
import { diskAttachmentStore } from '@sgs-chat/disk'
import { sqliteChatStore } from '@sgs-chat/sqlite'
import { ContainerModule } from 'inversify'
import { limitsFrom } from '../config/limit-settings.ts'
import { SQLITE_LIMITS } from '../config/transport-limit-settings.ts'
import { T } from '../tokens.ts'

/** Where chats and files are kept: everything on this machine. */
export const storage: ContainerModule = new ContainerModule(({ bind }) => {
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
  bind(T.ChatLog)
    .toResolvedValue(store => store.log, [T.SqliteStore])
    .inSingletonScope()
  bind(T.ChatHistory)
    .toResolvedValue(store => store.history, [T.SqliteStore])
    .inSingletonScope()
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
})
