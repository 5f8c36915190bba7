import assert from 'node:assert/strict'
import { type Observed, silentMeter } from '@sgs-chat/core'
import { it } from 'vitest'
import { observeBridge } from '../../src/bridge/bridge-metrics.ts'

it('M6: the bridge tells whether it works, what it did with records, and what it tried again', () => {
  const observed: Observed[] = []
  const meter = { ...silentMeter, observe: (one: Observed) => observed.push(one) }
  const counts = { imported: 3, exported: 2, returned: 2, repeats: 1, deadLetters: 4, refused: 0, lost: 0 }
  let isActive = false
  observeBridge(meter, () => ({ isActive, retries: 5, ...counts }))
  isActive = true
  const lines = observed.flatMap(({ name, read }) =>
    read().map(({ labels, value }) => [name, ...Object.values(labels), value].join(' ')),
  )
  assert.deepEqual(lines, [
    'chat_bridge_active 1',
    'chat_bridge_records_total imported 3',
    'chat_bridge_records_total exported 2',
    'chat_bridge_records_total returned 2',
    'chat_bridge_records_total repeat 1',
    'chat_bridge_records_total dead-letter 4',
    'chat_bridge_records_total refused 0',
    'chat_bridge_records_total lost 0',
    'chat_bridge_retries_total 5',
  ])
})
