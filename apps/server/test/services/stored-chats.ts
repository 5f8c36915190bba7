import { homePartition, parseRoomId } from '@sgs-chat/core'
import { type Db, MongoClient } from 'mongodb'

interface StoredChat {
  readonly _id: string
  readonly roomId: number
  readonly content: string
  readonly pos: string
}

/** What MongoDB itself holds of a cluster, past every node and its window. */
export class StoredChats implements AsyncDisposable {
  readonly #client: MongoClient
  readonly #database: Db
  readonly #partitions: number

  private constructor(client: MongoClient, database: string, partitions: number) {
    this.#client = client
    this.#database = client.db(database)
    this.#partitions = partitions
  }

  static async open(settings: Readonly<Record<string, string>>): Promise<StoredChats> {
    const { MONGODB_URL = '', MONGODB_DATABASE = '', KAFKA_PARTITIONS } = settings
    return new StoredChats(await MongoClient.connect(MONGODB_URL), MONGODB_DATABASE, Number(KAFKA_PARTITIONS))
  }

  /** How many chats of a run are there, and how many documents they take. */
  async ofRun(run: string): Promise<{ readonly chats: number; readonly documents: number }> {
    const contents = await this.#database
      .collection<StoredChat>('chat')
      .find({ content: { $regex: `^verify ${run} ` } })
      .map(({ content }) => content.split(' ').slice(0, 4).join(' '))
      .toArray()
    return { chats: new Set(contents).size, documents: contents.length }
  }

  /** All of them. */
  count(): Promise<number> {
    return this.#database.collection('chat').countDocuments()
  }

  /** Of the rooms' partitions those where chats lie above the watermark: a batch was saved, and is not ended. */
  async partitionsInMidBatch(rooms: readonly number[]): Promise<number[]> {
    const watermarks = new Map<number, string>()
    for await (const { _id, pos } of this.#database
      .collection<{ _id: number; pos: string }>('chatWatermark')
      .find())
      watermarks.set(_id, pos)
    const found = new Set<number>()
    for (const room of rooms) {
      const partition = homePartition(parseRoomId(room), this.#partitions)
      const above = { roomId: room, pos: { $gt: watermarks.get(partition) ?? '' } }
      if ((await this.#database.collection('chat').findOne(above)) !== null) found.add(partition)
    }
    return [...found].toSorted((a, b) => a - b)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.dropDatabase()
    await this.#client.close()
  }
}
