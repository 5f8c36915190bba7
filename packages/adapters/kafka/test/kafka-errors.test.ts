import assert from 'node:assert/strict'
import { ChatError, type ErrorCode } from '@sgs-chat/core'
import { describe, it } from 'vitest'
import { kafkaError, produceOutcome } from '../src/kafka-errors.ts'

function driverError(name: string, fields: object = {}): Error {
  return Object.assign(new Error('a text of the driver with a secret'), { name, ...fields })
}

describe('errors of the driver', () => {
  const protocol = (type: string, retriable = true): Error =>
    driverError('KafkaJSProtocolError', { type, retriable })
  const cases: readonly (readonly [Error, ErrorCode, boolean])[] = [
    [driverError('KafkaJSConnectionError', { code: 'ECONNREFUSED' }), 'KAFKA_CONNECTION_FAILED', true],
    [driverError('KafkaJSConnectionClosedError'), 'KAFKA_CONNECTION_FAILED', true],
    [driverError('KafkaJSBrokerNotFound'), 'KAFKA_CONNECTION_FAILED', true],
    [driverError('KafkaJSGroupCoordinatorNotFound'), 'KAFKA_CONNECTION_FAILED', true],
    [driverError('KafkaJSRequestTimeoutError'), 'KAFKA_TIMEOUT', true],
    [protocol('REQUEST_TIMED_OUT'), 'KAFKA_TIMEOUT', true],
    [driverError('KafkaJSSASLAuthenticationError'), 'KAFKA_CONNECTION_FAILED', false],
    [protocol('TOPIC_AUTHORIZATION_FAILED', false), 'KAFKA_CONNECTION_FAILED', false],
    [protocol('MESSAGE_TOO_LARGE', false), 'KAFKA_SERIALIZE_FAILED', false],
    [protocol('LEADER_NOT_AVAILABLE'), 'KAFKA_CONNECTION_FAILED', true],
    [protocol('NOT_ENOUGH_REPLICAS'), 'KAFKA_CONNECTION_FAILED', true],
    [protocol('NOT_ENOUGH_REPLICAS_AFTER_APPEND'), 'KAFKA_CONNECTION_FAILED', true],
    [protocol('NOT_LEADER_FOR_PARTITION'), 'KAFKA_UNKNOWN_ERROR', true],
    [protocol('UNKNOWN_SERVER_ERROR', false), 'KAFKA_UNKNOWN_ERROR', false],
    [new TypeError('a bug'), 'KAFKA_UNKNOWN_ERROR', true],
  ]

  it('E1: each has a code, says whether to try again, keeps its cause and tells nothing of its text', () => {
    for (const [cause, code, retryable] of cases) {
      const wrapped = Object.assign(new Error('wrapped', { cause }), {
        name: 'KafkaJSNumberOfRetriesExceeded',
      })
      for (const thrown of [cause, wrapped]) {
        const error = kafkaError(thrown, 'appending', 'unknown')
        assert.deepEqual(
          [error.code, error.retryable, error.outcome],
          [code, retryable, 'unknown'],
          cause.name,
        )
        assert.equal(error.cause, thrown)
        assert.ok(!error.message.includes('secret'))
      }
    }
  })

  it('G1.4: only an answer that rules the append out makes a sent batch rejected', () => {
    for (const type of ['NOT_ENOUGH_REPLICAS', 'MESSAGE_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED']) {
      assert.equal(produceOutcome(protocol(type)), 'rejected', type)
    }
    const open = [
      'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
      'REQUEST_TIMED_OUT',
      'NOT_LEADER_FOR_PARTITION',
      'UNKNOWN',
    ]
    for (const type of open) assert.equal(produceOutcome(protocol(type)), 'unknown', type)
    assert.equal(produceOutcome(driverError('KafkaJSConnectionClosedError')), 'unknown')
  })

  it('an error of ours stays as it is, and an unknown outcome is not forgotten', () => {
    const own = new ChatError('UNAVAILABLE', 'KAFKA_TOPIC is wrong', { retryable: false })
    assert.equal(kafkaError(own, 'appending'), own)
    const unknown = kafkaError(own, 'appending', 'unknown')
    assert.deepEqual([unknown.code, unknown.outcome, unknown.retryable], ['UNAVAILABLE', 'unknown', false])
  })
})
