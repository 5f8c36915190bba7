import { manualClock, recordingLogger } from '@sgs-chat/contract/fakes'
import {
  ChatError,
  type ChatHistory,
  type ChatLog,
  type PartitionRange,
  type Watermark,
} from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { LogWatch } from '../src/log-watch.ts'
import { Waiting } from '../src/waiting.ts'

const MINUTE_MS = 60_000
const RETENTION_MS = 10 * MINUTE_MS

function watched() {
  const clock = manualClock(0)
  const logger = recordingLogger()
  const limits = { retryMs: 1, retryMaxMs: 1, listenAfterMs: 1 }
  const waiting = new Waiting({ clock, logger, ...limits })
  const state = {
    range: rangeOf(0, 0),
    archived: -1,
    error: undefined as ChatError | undefined,
    historyAway: false,
  }
  const log = {
    ranges: async () => {
      if (state.error !== undefined) throw state.error
      return [state.range]
    },
  } as Partial<ChatLog> as ChatLog
  const history = {
    watermark: async (): Promise<Watermark | undefined> => {
      if (state.historyAway) throw new ChatError('UNAVAILABLE', 'away')
      if (state.archived < 0) return undefined
      return { position: { epoch: 1, seq: state.archived } } as Watermark
    },
  } as Partial<ChatHistory> as ChatHistory
  const options = { log, history, waiting, clock, logger, setting: 'KAFKA_BROKERS' }
  const watch = new LogWatch({ ...options, intervalMs: MINUTE_MS, retentionMs: RETENTION_MS })
  const look = async (afterMs = MINUTE_MS): Promise<readonly string[]> => {
    clock.advance(afterMs)
    await watch.look()
    return waiting.reasons()
  }
  return { state, look, watch, logger }
}

function rangeOf(first: number, next: number): PartitionRange {
  return { first: { epoch: 1, seq: first }, next: { epoch: 1, seq: next } }
}

const LAG = [expect.stringContaining("over half of the log's retention (MONGODB_URL)")]

describe('G4.3: readiness', () => {
  it('goes when the log has not answered twice, and comes back with it', async () => {
    const { state, look, logger } = watched()
    expect(await look()).toEqual([])
    state.error = new ChatError('KAFKA_CONNECTION_FAILED', 'KAFKA_BROKERS 10.0.0.1:9092: refused')
    await look(0)
    expect(await look(0)).toEqual(['the log (KAFKA_BROKERS)'])
    expect(await look(0)).toHaveLength(1)
    state.error = undefined
    expect(await look(0)).toEqual([])
    expect(logger.messages('error')).toEqual(['the log does not answer'])
    expect(logger.messages('info')).toEqual(['the log answers again'])
  })

  it('says at once what does not pass by itself', async () => {
    const { state, look } = watched()
    state.error = new ChatError('UNAVAILABLE', 'KAFKA_TOPIC has 4 partitions', { retryable: false })
    expect(await look(0)).toEqual(['KAFKA_TOPIC has 4 partitions (KAFKA_BROKERS)'])
  })

  it('goes when a chat has waited for the archive for over half of the retention', async () => {
    const { state, look } = watched()
    state.range = rangeOf(0, 10)
    state.archived = 9
    expect(await look()).toEqual([])
    state.range = rangeOf(0, 20)
    for (let minute = 0; minute < 6; minute++) expect(await look()).toEqual([])
    expect(await look()).toEqual(LAG)
    state.archived = 19
    expect(await look()).toEqual([])
  })

  it('stays while the archive follows a log that never rests, some chats behind', async () => {
    const { state, look } = watched()
    for (let next = 10; next < 200; next += 10) {
      state.range = rangeOf(0, next)
      state.archived = next - 8
      expect(await look()).toEqual([])
    }
  })

  it('goes when the history is away for that long, not before', async () => {
    const { state, look } = watched()
    state.range = rangeOf(0, 10)
    await look()
    state.historyAway = true
    for (let minute = 0; minute < 4; minute++) expect(await look()).toEqual([])
    await look()
    expect(await look()).toEqual(LAG)
  })

  it('goes on a node that has just started when over half of a log that is being trimmed waits', async () => {
    const { state, look } = watched()
    state.range = rangeOf(1_000, 2_000)
    state.archived = 1_200
    expect(await look()).toEqual([])
    expect(await look()).toEqual([])
    expect(await look(1)).toEqual(LAG)
  })
})
