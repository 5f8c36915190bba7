import assert from 'node:assert/strict'
import { ChatError } from '@sgs-chat/core'
import type { KafkaChatLogOptions } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { joinedGroup, KafkaFixture, service, withAdmin } from './kafka-fixture.ts'
import { sampleChat } from './sample-chat.ts'

const brokers = service?.env.KAFKA_SASL_BROKERS ?? ''

/** Of the protocol's own numbers; Node does not find the driver's names for them. */
const [TOPIC, GROUP] = [2, 3]
const [READ, WRITE, DESCRIBE] = [3, 4, 8]
const [LITERAL, ALLOW] = [3, 3]

/** The user that has no rights but these. */
const GUEST: Partial<KafkaChatLogOptions> = {
  brokers: [brokers],
  sasl: { mechanism: 'plain', username: 'guest', password: 'guest-secret' },
  allowWeakTopic: true,
}

/** A log that is there already, on which the guest may do these things. */
async function grant(
  fixture: KafkaFixture,
  rights: readonly (readonly [resourceType: number, name: string, operation: number])[],
): Promise<void> {
  await (await fixture.open()).close()
  const acl = rights.map(([resourceType, resourceName, operation]) => ({
    resourceType,
    resourceName,
    operation,
    resourcePatternType: LITERAL,
    principal: 'User:guest',
    host: '*',
    permissionType: ALLOW,
  }))
  await withAdmin(fixture.brokers, admin => admin.createAcls({ acl }))
}

/** What the log says from now on. */
class Told {
  readonly #waits = new Set<() => void>()
  readonly #fixture: KafkaFixture

  constructor(fixture: KafkaFixture) {
    this.#fixture = fixture
    const { logger } = fixture
    const warn = logger.warn.bind(logger)
    logger.warn = (text, fields) => {
      warn(text, fields)
      for (const wake of this.#waits) wake()
    }
  }

  /** Resolves once a warning has this text, and its error this description. */
  async by(text: RegExp, description: RegExp): Promise<void> {
    const isIt = (): boolean =>
      this.#fixture.logger.lines.some(
        ({ message, fields }) =>
          text.test(message) && ChatError.is(fields.error) && description.test(fields.error.description),
      )
    while (!isIt()) {
      await new Promise<void>(resolve => {
        this.#waits.add(resolve)
      })
      this.#waits.clear()
    }
  }
}

describe.skipIf(brokers === '')('a user of KAFKA_USERNAME who may not', () => {
  it('append is named at the call, at once and for good', async () => {
    await using fixture = new KafkaFixture()
    await grant(fixture, [
      [TOPIC, fixture.topic, READ],
      [TOPIC, fixture.topic, DESCRIBE],
      [TOPIC, `${fixture.topic}-dead`, DESCRIBE],
    ])
    const log = await fixture.open(GUEST)
    const startedMs = performance.now()
    const error = await log.append([sampleChat()]).catch((reason: unknown) => reason)
    assert.ok(ChatError.is(error), String(error))
    assert.deepEqual(
      [error.code, error.retryable, error.outcome],
      ['KAFKA_CONNECTION_FAILED', false, 'rejected'],
    )
    assert.match(error.description, /KAFKA_USERNAME may not .*TOPIC_AUTHORIZATION_FAILED/)
    assert.ok(performance.now() - startedMs < 4_000)
  })

  it('read the topic is named at the call', async () => {
    await using fixture = new KafkaFixture()
    await grant(fixture, [
      [TOPIC, fixture.topic, WRITE],
      [TOPIC, fixture.topic, DESCRIBE],
      [TOPIC, `${fixture.topic}-dead`, DESCRIBE],
    ])
    const log = await fixture.open(GUEST)
    const told = new Told(fixture)
    await log.follow(
      (await log.ranges()).map(({ next }) => next),
      { batch: () => assert.fail('nothing can be read'), lost: () => assert.fail('nothing was lost') },
    )
    await told.by(/^the follower cannot read the log/, /KAFKA_USERNAME may not .*TOPIC_AUTHORIZATION_FAILED/)
  })

  it('join the group is told once, naming KAFKA_ARCHIVE_GROUP, and the member joins once it may', async () => {
    await using fixture = new KafkaFixture()
    await grant(fixture, [
      [TOPIC, fixture.topic, READ],
      [TOPIC, fixture.topic, WRITE],
      [TOPIC, `${fixture.topic}-dead`, DESCRIBE],
    ])
    const log = await fixture.open(GUEST)
    const told = new Told(fixture)
    const { assigned } = await joinedGroup(log)
    await told.by(
      /^the archive group has lost this member/,
      /KAFKA_ARCHIVE_GROUP: .*KAFKA_USERNAME may read it/,
    )
    await grant(fixture, [[GROUP, `${fixture.topic}-archive`, READ]])
    await assigned
    assert.equal(fixture.logger.messages('warn').length, 1)
  })
})
