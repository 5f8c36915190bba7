import type { CallOptions } from '../cancel-signal.ts'
import { ChatError } from '../error.ts'
import type { RoomId } from '../room/room.ts'
import type { Registry } from './presence-registry.ts'
import type {
  NodeHolding,
  RoomPresence,
  RoomWatcher,
  SessionPresence,
  SessionReport,
  SnapshotPage,
} from './session-presence.ts'

const NO_WATCH: Disposable = { [Symbol.dispose]: () => undefined }

/** One chat node's end of a registry in this process. */
export class NodePresence implements SessionPresence {
  readonly isLeased = true
  private readonly registry: Registry
  private readonly node: string
  private readonly watches = new Set<Disposable>()
  private isClosed = false

  constructor(registry: Registry, node: string) {
    this.registry = registry
    this.node = node
  }

  async report(report: SessionReport, options?: CallOptions): Promise<void> {
    this.checkOpen()
    await this.registry.report(this.node, report, options)
  }

  async renew(holding: NodeHolding, options?: CallOptions): Promise<'same' | 'different'> {
    this.checkOpen()
    return this.registry.renew(this.node, holding, options)
  }

  async snapshot(page: SnapshotPage, options?: CallOptions): Promise<void> {
    this.checkOpen()
    await this.registry.snapshot(this.node, page, options)
  }

  async whoIsIn(roomId: RoomId, options?: CallOptions): Promise<RoomPresence> {
    this.checkOpen()
    return this.registry.whoIsIn(roomId, options)
  }

  watch(roomId: RoomId, watcher: RoomWatcher): Disposable {
    if (this.isClosed) return NO_WATCH
    const watch = this.registry.rooms.watch(roomId, watcher)
    const own: Disposable = {
      [Symbol.dispose]: () => {
        this.watches.delete(own)
        watch[Symbol.dispose]()
      },
    }
    this.watches.add(own)
    return own
  }

  async close(): Promise<void> {
    this.isClosed = true
    for (const watch of this.watches) watch[Symbol.dispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private checkOpen(): void {
    if (!this.isClosed) return
    throw new ChatError('UNAVAILABLE', "this node's end of the presence registry is closed", {
      details: { waitsFor: 'presence' },
    })
  }
}
