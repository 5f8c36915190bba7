/** A bridge in a process of its own, to be killed. Arguments: brokers, topic, Java topics. */
import { kafkaBridge } from '@sgs-chat/kafka'

const [brokers = '', topic = '', javaTopics = ''] = process.argv.slice(2)
const bridge = await kafkaBridge({
  brokers: brokers.split(','),
  topic,
  // The group gives the bridge to the member whose name sorts first.
  clientId: 'a-child',
  partitions: 3,
  bridgeTopics: javaTopics.split(','),
  bridgeGroup: `${topic}-bridge`,
  bridgeTimeZone: 'Asia/Seoul',
  sessionTimeoutMs: 3_000,
  heartbeatMs: 100,
})
const told = setInterval(() => {
  const { isActive, imported, exported } = bridge.counters
  if (isActive) process.stdout.write(`${imported} imported, ${exported} exported\n`)
}, 5)
process.once('disconnect', () => clearInterval(told))
