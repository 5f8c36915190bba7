import { createChat, DEFAULT_LIMITS } from '@sgs-chat/core'
import { ContainerModule } from 'inversify'
import { limitsFrom } from '../config/limit-settings.ts'
import { T } from '../tokens.ts'

/** The core, over everything below it. */
export const chat: ContainerModule = new ContainerModule(({ bind }) => {
  bind(T.Chat)
    .toResolvedValue(
      (config, log, history, presence, store, address, keys, access, clock, ids, logger, meter) =>
        createChat({
          log,
          history,
          presence: presence.all,
          attachments: { store, publicUrl: address.publicUrl, secret: keys.linkSecret },
          access,
          accessStaleMaxMs: config.ROOM_ACCESS_STALE_MAX_MS,
          limits: limitsFrom(config, '', DEFAULT_LIMITS),
          clock,
          ids,
          logger,
          meter,
        }),
      [
        T.Config,
        T.ChatLog,
        T.ChatHistory,
        T.PresenceLinks,
        T.AttachmentStore,
        T.Address,
        T.Keys,
        T.RoomAccess,
        T.Clock,
        T.Ids,
        T.Logger,
        T.Meter,
      ],
    )
    .inSingletonScope()
})
