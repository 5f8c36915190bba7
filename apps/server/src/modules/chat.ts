import { createChat, DEFAULT_LIMITS, withDefaultLimits } from '@sgs-chat/core'
import { ContainerModule } from 'inversify'
import { ChatGate } from '../chat-gate.ts'
import { limitsFrom } from '../config/limit-settings.ts'
import { T } from '../tokens.ts'

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
            attachments: { store, publicUrl: address.publicUrl, secret: keys.linkSecret },
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
