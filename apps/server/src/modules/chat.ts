import { createChat, DEFAULT_LIMITS, type FileRules, withDefaultLimits } from '@sgs-chat/core'
import { fileTypeInspector } from '@sgs-chat/file-type'
import { sharpPictures } from '@sgs-chat/sharp'
import { ContainerModule } from 'inversify'
import { ChatGate } from '../chat-gate.ts'
import { PICTURE_LIMITS } from '../config/file-settings.ts'
import { limitsFrom } from '../config/limit-settings.ts'
import type { Config } from '../config.ts'
import { T } from '../tokens.ts'

function fileRules(config: Config): FileRules {
  return {
    inspector: fileTypeInspector(),
    types: config.FILE_TYPES,
    pictures: sharpPictures(limitsFrom(config, 'PICTURE_', PICTURE_LIMITS)),
    keepPictureMetadata: config.PICTURE_METADATA === 'keep',
    thumbnailSizes: config.THUMBNAIL_SIZES,
  }
}

/** The core, over everything below it, and the gate in front of it. */
export const chat: ContainerModule = new ContainerModule(({ bind }) => {
  bind(T.Chat)
    .toResolvedValue(
      (config, waiting) => new ChatGate(withDefaultLimits(limitsFrom(config, '', DEFAULT_LIMITS)), waiting),
      [T.Config, T.Waiting],
    )
    .inSingletonScope()
  bind(T.ChatNode)
    .toResolvedValue(
      async (
        config,
        gate,
        waiting,
        log,
        history,
        presence,
        store,
        address,
        keys,
        access,
        clock,
        ids,
        logger,
        meter,
      ) => {
        const node = await waiting.open({ what: 'the chats that the log holds already' }, () =>
          createChat({
            log,
            history,
            presence: presence.all,
            attachments: {
              store,
              publicUrl: address.publicUrl,
              secret: keys.linkSecret,
              ...fileRules(config),
            },
            follow: config.KAFKA_FOLLOW,
            access,
            accessStaleMaxMs: config.ROOM_ACCESS_STALE_MAX_MS,
            limits: gate.limits,
            clock,
            ids,
            logger,
            meter,
          }),
        )
        gate.open(node)
        return node
      },
      [
        T.Config,
        T.Chat,
        T.Waiting,
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
