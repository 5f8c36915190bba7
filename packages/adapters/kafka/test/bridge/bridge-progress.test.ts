import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { BridgeProgress } from '../../src/bridge/bridge-progress.ts'

const LOG = 'log'
const JAVA = 'studyhub'

function begun(): BridgeProgress {
  const progress = new BridgeProgress(LOG)
  progress.begin(LOG, 0, 100, 100)
  progress.begin(LOG, 1, 50, undefined)
  progress.begin(JAVA, 0, 7, 7)
  progress.begin(JAVA, 1, 0, undefined)
  return progress
}

const mark = (partition: number, seq: number) => ({ partition, position: { epoch: 1, seq } })

describe('the place of the bridge', () => {
  it('is committed at once where there was none, then whenever it has moved', () => {
    const progress = begun()
    const first = [
      { topic: LOG, partition: 1, offset: 50 },
      { topic: JAVA, partition: 1, offset: 0 },
    ]
    assert.deepEqual(progress.open(), first)
    progress.committed(first)
    assert.deepEqual(progress.open(), [])
    progress.move(JAVA, 0, 12)
    assert.deepEqual(progress.open(), [{ topic: JAVA, partition: 0, offset: 12 }])
  })

  it('G8.1: is never committed past a mark before the export has passed what it is a copy of', () => {
    const progress = begun()
    progress.committed(progress.open())
    progress.note(JAVA, 0, 8, mark(0, 101))
    progress.note(JAVA, 0, 10, mark(1, 50))
    progress.note(JAVA, 0, 11, mark(0, 99))
    progress.move(JAVA, 0, 20)
    assert.deepEqual(progress.open(), [{ topic: JAVA, partition: 0, offset: 8 }])
    assert.equal(progress.isExported(0, 101), true)
    assert.equal(progress.isExported(0, 100), false)
    assert.equal(progress.isExported(0, 99), false, 'below the export: settled')
    progress.move(LOG, 0, 102)
    assert.deepEqual(progress.open(), [
      { topic: LOG, partition: 0, offset: 102 },
      { topic: JAVA, partition: 0, offset: 10 },
    ])
    assert.equal(progress.isExported(0, 101), false, 'forgotten')
    progress.move(LOG, 1, 51)
    const last = progress.open()
    assert.deepEqual(last.at(-1), { topic: JAVA, partition: 0, offset: 20 })
  })

  it('G8.1: tells when the import has reached what their topics held, and ends the wait when aborted', async () => {
    const progress = begun()
    const heads = [
      { topic: JAVA, partition: 0, offset: 9 },
      { topic: JAVA, partition: 1, offset: 2 },
    ]
    let isReached = false
    const reached = progress.reached(heads, new AbortController().signal).then(() => {
      isReached = true
    })
    progress.move(JAVA, 0, 9)
    await Promise.resolve()
    assert.equal(isReached, false)
    progress.move(JAVA, 1, 5)
    await reached
    const abort = new AbortController()
    const never = progress.reached([{ topic: JAVA, partition: 0, offset: 99 }], abort.signal)
    abort.abort()
    await never
  })
})
