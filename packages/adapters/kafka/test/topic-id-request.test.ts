import assert from 'node:assert/strict'
import { it } from 'vitest'
import { decodeTopicId, encodeTopicIdRequest } from '../src/topic-id-request.ts'

const ID = '00112233445566778899aabbccddeeff'
const NO_TAGS = [0]
const int32 = [0, 0, 0, 7]
const text = (value: string): number[] => [value.length + 1, ...Buffer.from(value)]
const broker = (rack: readonly number[]): number[] => [...int32, ...text('host'), ...int32, ...rack, 0]
/** Field 5, two bytes. */
const SOME_TAGS = [1, 5, 2, 9, 9]

/** A Metadata answer of version 10 up to the topic's id, and some of what follows. */
function answer(topics: readonly number[]): Buffer {
  const brokers = [3, ...broker([0]), ...broker(text('rack'))]
  return Buffer.from([...SOME_TAGS, ...int32, ...brokers, ...text('cluster'), ...int32, ...topics])
}

const topic = (id: string): number[] => [2, 0, 0, ...text('chats'), ...Buffer.from(id, 'hex'), 0, 1]

it('asks for one topic by its name, and to make none', () => {
  const name = 'x'.repeat(200)
  const bytes = encodeTopicIdRequest(name)
  const length = [0xc9, 0x01]
  const expected = [
    ...NO_TAGS,
    2,
    ...Array<number>(16).fill(0),
    ...length,
    ...Buffer.from(name),
    0,
    0,
    0,
    0,
    0,
  ]
  assert.deepEqual([...bytes], expected)
})

it('reads the id behind brokers, racks and tagged fields of any kind', () => {
  assert.equal(decodeTopicId(answer(topic(ID))), ID)
})

it('a topic that is not there, or a cluster without ids, has none', () => {
  assert.equal(decodeTopicId(answer([1])), undefined)
  assert.equal(decodeTopicId(answer(topic('0'.repeat(32)))), undefined)
})

it('an answer that is cut short is an error, never an id', () => {
  const whole = answer(topic(ID))
  assert.throws(() => decodeTopicId(whole.subarray(0, whole.length - 10)), RangeError)
})
