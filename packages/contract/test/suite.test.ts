import {
  attachmentStoreRules,
  chatHistoryRules,
  chatLogRules,
  clockRules,
  failingRules,
  idsRules,
  loggerRules,
  presenceStoreRules,
  type Rule,
  roomAccessRules,
  ruleTitle,
  runRule,
  sessionPresenceRules,
  skipReasons,
  tokenVerifierRules,
} from '@sgs-chat/contract'
import { describe, expect, it } from 'vitest'

const SUITES: Readonly<Record<string, readonly Pick<Rule<never>, 'id' | 'title' | 'spec'>[]>> = {
  L: chatLogRules,
  H: chatHistoryRules,
  R: roomAccessRules,
  P: sessionPresenceRules,
  PS: presenceStoreRules,
  A: attachmentStoreRules,
  T: tokenVerifierRules,
  C: clockRules,
  I: idsRules,
  LG: loggerRules,
}

describe('the suites', () => {
  it.each(Object.entries(SUITES))('number their rules under a prefix of their own: %s', (prefix, rules) => {
    const numbers = rules.map(({ id }) => Number(id.slice(prefix.length))).sort((a, b) => a - b)
    expect(rules.every(({ id }) => id.startsWith(prefix))).toBe(true)
    expect(numbers).toEqual(rules.map((_, index) => index + 1))
  })

  it('quote the rule of the specification that a rule comes from', () => {
    expect(ruleTitle({ id: 'L4', spec: 'G1.3', title: 'a title' })).toBe('L4 (G1.3): a title')
    expect(ruleTitle({ id: 'L4', title: 'a title' })).toBe('L4: a title')
  })

  it('refuse a skip of an unknown rule, a second one, and one without a reason', () => {
    const skip = (...rules: readonly string[]): unknown =>
      skipReasons(
        clockRules,
        rules.map(rule => ({ rule, why: 'because' })),
      )
    expect(skip('C1', 'C2')).toEqual(
      new Map([
        ['C1', 'because'],
        ['C2', 'because'],
      ]),
    )
    expect(() => skip('C99')).toThrow('there is no rule C99')
    expect(() => skip('C1', 'C1')).toThrow('skipped twice')
    expect(() => skipReasons(clockRules, [{ rule: 'C1', why: ' ' }])).toThrow('without a reason')
  })

  it('end a rule that never ends, and dispose of its harness', async () => {
    let disposed = 0
    const create = async (): Promise<{ dispose: () => Promise<void> }> => ({
      dispose: async () => {
        disposed += 1
      },
    })
    const stuck = { id: 'X1', title: 'never ends', run: () => new Promise<void>(() => undefined) }
    await expect(runRule(stuck, create, { deadlineMs: 20 })).rejects.toThrow(
      'X1: never ends: not within 20 ms',
    )
    const kept = { id: 'X2', title: 'is kept', run: async () => undefined }
    expect([...(await failingRules([stuck, kept], create, { deadlineMs: 20 })).keys()]).toEqual(['X1'])
    expect(disposed).toBe(3)
  })
})
