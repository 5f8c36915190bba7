import {
  Backoff,
  LinkWatches,
  parseRoomId,
  type RoomChange,
  type RoomId,
  type WatchEvents,
} from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { SteppedClock, settle } from '../simulation/stepped-clock.ts'

const [LOBBY, SEVEN] = [parseRoomId(0), parseRoomId(7)]
const RETRY_MS = 100

/** A stream that a test lets speak, and what it was asked for. */
class ScriptedStream {
  readonly rooms: RoomId[] = []
  readonly events: WatchEvents
  isClosed = false

  constructor(events: WatchEvents) {
    this.events = events
  }

  watch(roomId: RoomId): void {
    this.rooms.push(roomId)
  }

  unwatch(roomId: RoomId): void {
    this.rooms.splice(this.rooms.indexOf(roomId), 1)
  }

  close(): void {
    this.isClosed = true
  }
}

function scripted() {
  const clock = new SteppedClock()
  const streams: ScriptedStream[] = []
  const watches = new LinkWatches({
    open: events => {
      const stream = new ScriptedStream(events)
      streams.push(stream)
      return stream
    },
    clock,
    backoff: new Backoff({ firstMs: RETRY_MS, maxMs: RETRY_MS, random: () => 0 }),
  })
  const stream = (): ScriptedStream => {
    const newest = streams.at(-1)
    if (newest === undefined) throw new Error('no stream was opened')
    return newest
  }
  return { clock, streams, watches, stream }
}

/** What a watcher was told, as words. */
function watcher() {
  const told: string[] = []
  return {
    told,
    changed: ({ version }: RoomChange) => void told.push(`changed ${version}`),
    stale: () => void told.push('stale'),
  }
}

const change = (roomId: RoomId, version: number): RoomChange => ({ roomId, version }) as RoomChange

describe('LinkWatches', () => {
  it('opens one stream for all rooms, and closes it after the last', () => {
    const { watches, streams, stream } = scripted()
    const lobby = watches.watch(LOBBY, watcher())
    const [seven, again] = [watches.watch(SEVEN, watcher()), watches.watch(SEVEN, watcher())]
    expect(streams).toHaveLength(1)
    expect(stream().rooms).toEqual([LOBBY, SEVEN])
    seven[Symbol.dispose]()
    expect(stream().rooms).toEqual([LOBBY, SEVEN])
    again[Symbol.dispose]()
    again[Symbol.dispose]()
    expect(stream().rooms).toEqual([LOBBY])
    lobby[Symbol.dispose]()
    expect(stream().isClosed).toBe(true)
  })

  it('tells each watcher of its room, and one that joins a standing watch that it knows nothing yet', async () => {
    const { watches, stream } = scripted()
    const [first, second, late] = [watcher(), watcher(), watcher()]
    watches.watch(LOBBY, first)
    watches.watch(SEVEN, second)
    stream().events.stale(LOBBY)
    stream().events.changed(change(LOBBY, 4))
    watches.watch(LOBBY, late)
    const gone = watches.watch(LOBBY, second)
    gone[Symbol.dispose]()
    await settle()
    expect(first.told).toEqual(['stale', 'changed 4'])
    expect(late.told).toEqual(['stale'])
    expect(second.told).toEqual([])
    stream().events.stale(parseRoomId(9))
    stream().events.changed(change(parseRoomId(9), 1))
  })

  it('opens a lost stream anew after a wait, and watches every room again; the lost one says nothing more', async () => {
    const { watches, streams, stream, clock } = scripted()
    const lobby = watcher()
    watches.watch(LOBBY, lobby)
    const lost = stream()
    lost.events.lost(new Error('reset'))
    lost.events.changed(change(LOBBY, 1))
    watches.watch(SEVEN, watcher())
    await clock.advance(RETRY_MS / 2 - 1)
    expect(streams).toHaveLength(1)
    await clock.advance(1)
    expect(streams).toHaveLength(2)
    expect(stream().rooms).toEqual([LOBBY, SEVEN])
    stream().events.stale(LOBBY)
    lost.events.lost(new Error('again'))
    expect(lobby.told).toEqual(['stale'])
    expect(streams).toHaveLength(2)
  })

  it('begins at another place at once, and ends with nothing under way', async () => {
    const { watches, streams, stream, clock } = scripted()
    watches.restart()
    expect(streams).toHaveLength(0)
    watches.watch(LOBBY, watcher())
    const before = stream()
    watches.restart()
    expect(before.isClosed).toBe(true)
    expect(stream().rooms).toEqual([LOBBY])
    stream().events.lost(new Error('reset'))
    watches.close()
    await clock.advance(10 * RETRY_MS)
    watches.watch(LOBBY, watcher())
    watches.restart()
    expect(streams).toHaveLength(2)
  })
})
