/**
 * Asks a broker for the id of a topic, which another topic of the same name does not have (KIP-516). kafkajs does not speak
 * the version that tells it.
 * @see https://kafka.apache.org/protocol#The_Messages_Metadata version 10
 */
export const METADATA_KEY = 3
export const METADATA_VERSION = 10

const UUID_BYTES = 16
/** What stands for no id: the cluster does not give any. */
const NO_ID = '0'.repeat(2 * UUID_BYTES)

/** The end of the request's head and its body: a flexible version, with tagged fields that are all empty. */
export function encodeTopicIdRequest(topic: string): Buffer {
  const name = Buffer.from(topic)
  const noTags = 0
  const one = 2
  const create = 0
  const operations = 0
  return Buffer.concat([
    Buffer.from([noTags, one]),
    Buffer.alloc(UUID_BYTES),
    unsignedVarint(name.length + 1),
    name,
    Buffer.from([noTags, create, operations, operations, noTags]),
  ])
}

/** Undefined: there is no such topic now, or the cluster gives no ids. */
export function decodeTopicId(payload: Buffer): string | undefined {
  const reader = new FlexibleReader(payload)
  reader.tags()
  reader.skip(4) // throttle_time_ms
  for (let brokers = reader.length(); brokers > 0; brokers--) {
    reader.skip(4) // node_id
    reader.string() // host
    reader.skip(4) // port
    reader.string() // rack
    reader.tags()
  }
  reader.string() // cluster_id
  reader.skip(4) // controller_id
  if (reader.length() === 0) return undefined
  reader.skip(2) // error_code
  reader.string() // name
  const id = reader.bytes(UUID_BYTES).toString('hex')
  return id === NO_ID ? undefined : id
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Buffer.from([...bytes, rest])
}

/** Reads an answer of a flexible version from its front on. @throws RangeError when it ends too early */
class FlexibleReader {
  readonly #buffer: Buffer
  #at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  skip(bytes: number): void {
    this.bytes(bytes)
  }

  bytes(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#buffer.length) throw new RangeError('the answer of the broker ends too early')
    const bytes = this.#buffer.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  /** Of an array or a text; 0 for none. */
  length(): number {
    return Math.max(0, this.#varint() - 1)
  }

  string(): void {
    this.skip(this.length())
  }

  tags(): void {
    for (let tags = this.#varint(); tags > 0; tags--) {
      this.#varint()
      this.skip(this.#varint())
    }
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes(1).readUInt8()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
}
