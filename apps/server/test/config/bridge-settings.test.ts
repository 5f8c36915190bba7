import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config.ts'

const kafka = { KAFKA_BROKERS: '127.0.0.1:9092', SINGLE_NODE: 'true' }

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig({ ...kafka, ...environment })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

describe('settings of the bridge', () => {
  it('G1.1: a start where KAFKA_TOPIC is a name in KAFKA_BRIDGE_TOPICS is refused, naming both', () => {
    const given = { KAFKA_TOPIC: 'chats', KAFKA_BRIDGE_TOPICS: 'studyhub, chats' }
    expect(problemsOf(given)).toEqual([expect.stringMatching(/^KAFKA_TOPIC .*KAFKA_BRIDGE_TOPICS.*chats/)])
    expect(problemsOf({ KAFKA_BRIDGE_TOPICS: 'sgs-chat-log' })).toHaveLength(1)
  })

  it('G1.1: no setting touches the group or the topics of the Java servers', () => {
    expect(problemsOf({ KAFKA_TOPIC: 'studyhub-2' })).toEqual([expect.stringMatching(/^KAFKA_TOPIC must be/)])
    for (const name of ['KAFKA_ARCHIVE_GROUP', 'KAFKA_BRIDGE_GROUP']) {
      const given = { KAFKA_BRIDGE_TOPICS: 'studyhub', [name]: 'pnu-cse' }
      expect(problemsOf(given)).toEqual([expect.stringMatching(new RegExp(`^${name} must be`))])
    }
    const same = { KAFKA_BRIDGE_TOPICS: 'studyhub', KAFKA_BRIDGE_GROUP: 'sgs-chat-archive' }
    expect(problemsOf(same)).toEqual([expect.stringMatching(/^KAFKA_BRIDGE_GROUP .*KAFKA_ARCHIVE_GROUP/)])
  })

  it('is off by default, and takes topics, a direction and where to export', () => {
    expect(loadConfig(kafka).config.KAFKA_BRIDGE_TOPICS).toBeUndefined()
    const { config } = loadConfig({
      ...kafka,
      KAFKA_BRIDGE_TOPICS: 'studyhub,studyhub-1, studyhub-2',
      KAFKA_BRIDGE_EXPORT_TOPICS: 'studyhub',
      KAFKA_BRIDGE_DIRECTION: 'in',
    })
    expect(config.KAFKA_BRIDGE_TOPICS).toEqual(['studyhub', 'studyhub-1', 'studyhub-2'])
    expect(config.KAFKA_BRIDGE_EXPORT_TOPICS).toEqual(['studyhub'])
    expect(config.KAFKA_BRIDGE_DIRECTION).toBe('in')
  })

  it('what has no effect, or cannot be meant, is refused by its name', () => {
    expect(problemsOf({ KAFKA_BRIDGE_DIRECTION: 'in' })).toEqual([
      'KAFKA_BRIDGE_DIRECTION has no effect without KAFKA_BRIDGE_TOPICS',
    ])
    expect(problemsOf({ KAFKA_BRIDGE_TOPICS: 'a,a' })).toEqual([
      expect.stringMatching(/^KAFKA_BRIDGE_TOPICS must be/),
    ])
    expect(problemsOf({ KAFKA_BRIDGE_TOPICS: 'a', KAFKA_BRIDGE_EXPORT_TOPICS: 'b' })).toEqual([
      expect.stringMatching(/^KAFKA_BRIDGE_EXPORT_TOPICS .*not b$/),
    ])
  })
})
