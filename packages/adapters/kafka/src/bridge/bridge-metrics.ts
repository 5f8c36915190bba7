import type { Meter } from '@sgs-chat/core'
import type { KafkaBridgeCounters } from './kafka-bridge.ts'

/** Shows the counters to whoever reads the meter. */
export function observeBridge(meter: Meter, counters: () => KafkaBridgeCounters): void {
  meter.observe({
    name: 'chat_bridge_active',
    help: 'Whether this process has the bridge to the Java servers; over all processes it is 1.',
    kind: 'gauge',
    read: () => [{ labels: {}, value: counters().isActive ? 1 : 0 }],
  })
  meter.observe({
    name: 'chat_bridge_records_total',
    help: 'What the bridge did with records of either side.',
    kind: 'counter',
    labels: ['done'],
    read: () => {
      const { imported, exported, returned, repeats, deadLetters, refused, lost } = counters()
      const done = {
        imported,
        exported,
        returned,
        repeat: repeats,
        'dead-letter': deadLetters,
        refused,
        lost,
      }
      return Object.entries(done).map(([label, value]) => ({ labels: { done: label }, value }))
    },
  })
  meter.observe({
    name: 'chat_bridge_retries_total',
    help: 'Appends and exports of the bridge that were tried again.',
    kind: 'counter',
    read: () => [{ labels: {}, value: counters().retries }],
  })
}
