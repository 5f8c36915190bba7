import { describe, expect, it } from 'vitest'
import { JavaServers } from '../../../../packages/adapters/kafka/test/bridge/java-servers.ts'
import { ChatClient, contentsOf } from '../e2e/chat-client.ts'
import { allByPages } from '../e2e/http-calls.ts'
import { testServers, tokenFor } from '../e2e/server-process.ts'
import { clusterSettings, sharedServices } from './shared-services.ts'

const services = await sharedServices()

const { cleanups, start: node } = testServers()

const ROOM = 4
const CHATS = 30

describe.skipIf(services === undefined)('nodes of ours beside the Java servers', () => {
  it('G8.1: both sides see every chat once, also when the node that has the bridge is killed', async () => {
    if (services === undefined) throw new Error('skipped without services')
    const base = clusterSettings(services)
    const topics = [1, 2, 3].map(n => `${base.KAFKA_TOPIC}-studyhub-${n}`)
    const java = await JavaServers.open(services.kafka.address, topics)
    cleanups.push(() => java[Symbol.asyncDispose]())
    const settings = {
      ...base,
      KAFKA_BRIDGE_TOPICS: topics.join(),
      KAFKA_BRIDGE_GROUP: `${base.KAFKA_TOPIC}-bridge`,
      KAFKA_SESSION_TIMEOUT_MS: '3000',
      KAFKA_HEARTBEAT_MS: '100',
      CHAT_TIME_ZONE: 'Asia/Seoul',
    }
    const [first, second] = await Promise.all([node(settings), node(settings)])
    const holder = await Promise.race(
      [first, second].map(async one => {
        await one.logged('the bridge to the Java servers is this process')
        return one
      }),
    )
    const other = holder === first ? second : first
    const client = await ChatClient.connect(other.url, tokenFor('alice'))
    cleanups.push(() => client.close())
    const subscription = await client.subscribe(`/topic/${ROOM}`)
    const all: string[] = []
    const talk = async (round: number): Promise<void> => {
      for (let n = 0; n < CHATS; n++) {
        const [ours, theirs] = [`ours ${round}/${n}`, `theirs ${round}/${n}`]
        all.push(ours, theirs)
        const chat = {
          _id: null,
          roomId: ROOM,
          senderId: 'bob',
          messageType: 'TEXT',
          content: theirs,
          createdAt: null,
        }
        await Promise.all([
          client.send({ roomId: ROOM, messageType: 'TEXT', content: ours }),
          java.send([chat], { topic: topics[ROOM % 3] ?? '', partition: ROOM % 3 }),
        ])
      }
    }
    await talk(1)
    await subscription.take(all.length)
    const talking = talk(2)
    await holder.stop('SIGKILL')
    await talking
    const received = contentsOf(await subscription.take(all.length))
    await java.untilAll(all)
    expect(received.toSorted()).toEqual(all.toSorted())
    for (const speaker of ['ours', 'theirs']) {
      const of = (contents: readonly string[]): readonly string[] =>
        contents.filter(content => content.startsWith(speaker))
      expect(of(received)).toEqual(of(all))
      expect(of(java.delivered.map(({ content }) => content))).toEqual(of(all))
    }
    expect(java.broken).toEqual([])
    const kept = await allByPages(other.url, tokenFor('alice'), ROOM)
    expect(kept.map(({ content }) => content)).toEqual(received)
    expect(subscription.received).toHaveLength(all.length)
  })
})
