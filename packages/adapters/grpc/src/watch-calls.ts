import { create } from '@bufbuild/protobuf'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { ChatError, type RoomId, type SessionPresence } from '@sgs-chat/core'
import {
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from './generated/sgs/presence/v1/presence_pb.ts'
import { statusOf } from './grpc-errors.ts'
import type { GrpcServerSettings } from './grpc-server-options.ts'
import { changeMessage, nodeOf, roomIdOf } from './messages.ts'
import { checkNode } from './peer-trust.ts'

type Call = ServerDuplexStream<WatchRequest, WatchResponse>

/** The streams of room changes that are open: a client cancels its own, and the server ends all when it closes. */
export class WatchCalls {
  private readonly settings: GrpcServerSettings
  private readonly open = new Set<WatchCall>()

  constructor(settings: GrpcServerSettings) {
    this.settings = settings
  }

  begin(call: Call): void {
    const watch = new WatchCall(call, this.settings, () => this.open.delete(watch))
    this.open.add(watch)
  }

  close(): void {
    for (const watch of this.open) watch.end()
  }
}

class WatchCall {
  private readonly call: Call
  private readonly settings: GrpcServerSettings
  private readonly onEnd: () => void
  private readonly watches = new Map<RoomId, Disposable>()
  private presence: SessionPresence | undefined
  private hasEnded = false

  constructor(call: Call, settings: GrpcServerSettings, onEnd: () => void) {
    this.call = call
    this.settings = settings
    this.onEnd = onEnd
    call.on('data', (request: WatchRequest) => this.take(request))
    call.on('cancelled', () => this.end())
    call.on('error', () => this.end())
  }

  end(): void {
    if (this.stop()) this.call.end()
  }

  private take(request: WatchRequest): void {
    if (this.hasEnded) return
    try {
      const presence = this.presenceOf(request)
      const { change } = request
      if (change.case === 'watchRoomId') this.watch(presence, roomIdOf(change.value))
      else if (change.case === 'unwatchRoomId') this.unwatch(roomIdOf(change.value))
    } catch (error) {
      this.fail(ChatError.from(error))
    }
  }

  /** The first message names the node. */
  private presenceOf(request: WatchRequest): SessionPresence {
    if (this.presence !== undefined) return this.presence
    checkNode(this.call, this.settings)
    this.presence = this.settings.registry.ofNode(nodeOf(request))
    return this.presence
  }

  private watch(presence: SessionPresence, roomId: RoomId): void {
    if (this.watches.has(roomId)) return
    const { maxWatchedRooms } = this.settings
    if (this.watches.size >= maxWatchedRooms) {
      throw new ChatError('TOO_LARGE', `a stream watches at most ${maxWatchedRooms} rooms`)
    }
    const watch = presence.watch(roomId, {
      changed: change => this.tell({ case: 'changed', value: changeMessage(change) }),
      stale: () => this.tell({ case: 'staleRoomId', value: BigInt(roomId) }),
    })
    this.watches.set(roomId, watch)
  }

  private unwatch(roomId: RoomId): void {
    this.watches.get(roomId)?.[Symbol.dispose]()
    this.watches.delete(roomId)
  }

  /** Nobody waits until it is read, so what waits for that is bounded. */
  private tell(event: WatchResponse['event']): void {
    if (this.hasEnded) return
    this.call.write(create(WatchResponseSchema, { event }))
    if (this.call.writableLength > this.settings.maxWatchedChanges) {
      this.fail(new ChatError('TOO_LARGE', 'the peer does not read its rooms'))
    }
  }

  private fail(error: ChatError): void {
    if (this.stop()) this.call.emit('error', statusOf(error))
  }

  /** False when it had ended already. */
  private stop(): boolean {
    if (this.hasEnded) return false
    this.hasEnded = true
    for (const watch of this.watches.values()) watch[Symbol.dispose]()
    this.watches.clear()
    this.presence?.close().catch(() => undefined)
    this.onEnd()
    return true
  }
}
