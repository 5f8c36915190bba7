/** A consumer that holds its first batch for ever, until it is killed. Arguments: brokers, topic, session timeout in milliseconds. */
import { kafkaChatLog } from '@sgs-chat/kafka'

const [brokers = '', topic = '', sessionTimeoutMs = '3000'] = process.argv.slice(2)
const log = await kafkaChatLog({
  brokers: brokers.split(','),
  topic,
  archiveGroup: `${topic}-archive`,
  sessionTimeoutMs: Number(sessionTimeoutMs),
  heartbeatMs: 100,
})
await log.consume({
  async start() {
    return undefined
  },
  batch(_partition, { records }) {
    process.stdout.write(`holds ${records.length} records\n`)
    return new Promise<void>(() => undefined)
  },
  async lost() {
    return undefined
  },
})
process.stdout.write('is a member\n')
