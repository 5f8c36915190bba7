import { afterEach, describe, expect, it } from 'vitest'
import { verifyDeployment } from '../../src/verify/verify-deployment.ts'
import type { VerifyReport } from '../../src/verify/verify-report.ts'
import { type Fault, ScriptedServer } from './scripted-server.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function verified(fault: Fault): Promise<VerifyReport> {
  const server = await ScriptedServer.start(fault)
  cleanups.push(() => server.stop())
  return verifyDeployment({
    nodes: [server.url],
    tokens: () => Promise.resolve('a token'),
    transport: 'websocket',
    writers: 1,
    readers: 2,
    rooms: [7],
    durationMs: 20_000,
    chats: 20,
    rate: 0,
    inFlight: 3,
    contentBytes: 60,
    connectTimeoutMs: 5_000,
    // Only the server that never answers makes anybody wait for this.
    answerTimeoutMs: fault === 'never answers one' ? 200 : 10_000,
    giveUpMs: 10_000,
    // What is missing for good is waited for in vain.
    settleMs: 300,
    historyMs: 300,
    nodesMayBeGone: false,
  })
}

describe('a server as it should be', () => {
  it('is found right: everything acknowledged reached everybody, and is in the history', async () => {
    const report = await verified('none')
    expect(report.verdict).toBe('right')
    expect(report.exitCode).toBe(0)
    expect(report.chats).toEqual({ written: 20, acknowledged: 20, failed: 0, unknown: 0 })
    expect(report.readers.map(({ delivered, missing }) => [delivered, missing])).toEqual([
      [20, 0],
      [20, 0],
    ])
    expect(Object.values(report.history)).toEqual([{ kind: 'read', chats: 20, missing: 0 }])
  })

  it('may say that it cannot resume: what was missed is read from the history, and told', async () => {
    const report = await verified('cuts readers off and cannot resume')
    expect(report.verdict).toBe('right')
    expect(report.readers.map(({ resumes }) => resumes)).toEqual([{ trimmed: 1 }, { trimmed: 1 }])
    for (const { delivered, filledFromHistory } of report.readers)
      expect(delivered + filledFromHistory).toBe(20)
  })
})

describe('each defect is found', () => {
  it.each<[Fault, Partial<VerifyReport['defects']>]>([
    ['drops a delivery', { missing: 1 }],
    ['doubles a delivery', { doubled: 1 }],
    ['swaps two deliveries', { 'out-of-order': 1 }],
    ['logs two chats of a session the wrong way round', { 'out-of-order': 1 }],
    ['acknowledges what it never stores', { missing: 3 }],
    ['history lacks one', { missing: 1 }],
    ['history has one twice', { doubled: 1 }],
    ['refuses what it has stored', { phantom: 3 }],
    ['never answers one', { unanswered: 1 }],
    ['stores a retried chat twice', { doubled: 3, misplaced: 1 }],
  ])('%s', async (fault, expected) => {
    const report = await verified(fault)
    expect(report.verdict).toBe('wrong')
    expect(report.exitCode).toBe(1)
    expect(report.defects).toEqual({ ...NO_DEFECTS, ...expected })
    expect(report.examples.length).toBeGreaterThan(0)
  })

  it('swaps two deliveries and their positions', async () => {
    const report = await verified('swaps two deliveries and their positions')
    expect(report.exitCode).toBe(1)
    // Who is believed is whoever came first; the other reader and the history tell that they do not agree.
    expect(report.defects.misplaced).toBeGreaterThanOrEqual(2)
    expect(report.defects).toMatchObject({ missing: 0, doubled: 0 })
  })

  it('says recovered and is not', async () => {
    const report = await verified('says recovered and is not')
    expect(report.exitCode).toBe(1)
    for (const { missing, resumes } of report.readers) {
      expect(missing).toBeGreaterThan(0)
      expect(resumes).toEqual({ recovered: 1 })
    }
  })
})

const NO_DEFECTS: VerifyReport['defects'] = {
  missing: 0,
  doubled: 0,
  'out-of-order': 0,
  misplaced: 0,
  phantom: 0,
  foreign: 0,
  unanswered: 0,
}
