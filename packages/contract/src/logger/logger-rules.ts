import assert from 'node:assert/strict'
import type { LogFields, Logger } from '@sgs-chat/core'
import { type Harness, need, type Rule } from '../rule.ts'
import { type SuiteOptions, testRules } from '../suite.ts'

/** A line as it came out, read back. */
export interface LoggedLine {
  readonly level: string
  readonly message: string
  /** Includes at least what was given; an error under `error`, with its `message` at least. */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface LoggerHarness extends Harness {
  /** Lets every level through. */
  readonly logger: Logger
  /** Everything logged up to now. */
  readonly lines?: () => Promise<readonly LoggedLine[]>
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** LG1–LG4 what comes out · LG5–LG6 what never happens. */
export const loggerRules: readonly Rule<LoggerHarness>[] = [
  {
    id: 'LG1',
    title: 'each level comes out as itself, with its message and its fields',
    async run(harness) {
      const lines = need(harness, 'lines')
      for (const level of LEVELS)
        harness.logger[level](`a ${level}`, { partition: 3, ok: true, name: 'x', none: null })
      const came = await lines()
      assert.deepEqual(
        came.map(({ level, message }) => [level, message]),
        LEVELS.map(level => [level, `a ${level}`]),
      )
      for (const { fields } of came) {
        const { partition, ok, name, none } = fields
        assert.deepEqual({ partition, ok, name, none }, { partition: 3, ok: true, name: 'x', none: null })
      }
    },
  },
  {
    id: 'LG2',
    title: 'lines come out in the order in which they were logged, none lost, none doubled',
    async run(harness) {
      const lines = need(harness, 'lines')
      const messages = Array.from({ length: 500 }, (_, index) => `line ${index}`)
      for (const message of messages) harness.logger.info(message)
      assert.deepEqual(
        (await lines()).map(({ message }) => message),
        messages,
      )
    },
  },
  {
    id: 'LG3',
    title: 'an error under `error` comes out with its message',
    async run(harness) {
      const lines = need(harness, 'lines')
      harness.logger.error('it failed', { error: new Error('because', { cause: new Error('of this') }) })
      const [line] = await lines()
      const error = line?.fields.error
      assert.ok(typeof error === 'object' && error !== null && 'message' in error, 'error is there')
      assert.equal(error.message, 'because')
    },
  },
  {
    id: 'LG4',
    title: 'one call is one line: line breaks and quotes in a message or a field make no other',
    async run(harness) {
      const lines = need(harness, 'lines')
      const text = 'a\nb\r\n{"level":"error","message":"forged"}\u2028"'
      harness.logger.info(text, { text })
      const came = await lines()
      assert.equal(came.length, 1)
      assert.equal(came[0]?.message, text)
      assert.equal(came[0]?.fields.text, text)
    },
  },
  {
    id: 'LG5',
    title: 'a logger never throws, whatever it is given',
    async run({ logger }) {
      const circular = new Error('circular')
      circular.cause = circular
      const hostile = new Error('hostile')
      Object.defineProperty(hostile, 'stack', {
        get(): string {
          throw new Error('no stack')
        },
      })
      const awkward: readonly (LogFields | undefined)[] = [
        undefined,
        {},
        { none: undefined },
        { nan: Number.NaN, infinite: Number.POSITIVE_INFINITY },
        { text: '\ud800\u0000' },
        { long: 'x'.repeat(1_000_000) },
        { error: circular },
        { error: hostile },
        { level: 'x', message: 'y', time: 'z', msg: 'w', pid: 1 },
      ]
      for (const level of LEVELS) {
        for (const fields of awkward) logger[level]('awkward %s %d %o \ud800', fields)
      }
    },
  },
  {
    id: 'LG6',
    title: 'what is given is not changed',
    async run({ logger }) {
      const fields = Object.freeze({ error: Object.freeze(new Error('frozen')), text: 'x' })
      for (const level of LEVELS) logger[level]('frozen', fields)
      assert.deepEqual(Object.keys(fields), ['error', 'text'])
    },
  },
]

/** Declares a test for each promise of `Logger`. */
export function testLogger(options: SuiteOptions<LoggerHarness>): void {
  testRules('Logger', loggerRules, options)
}
