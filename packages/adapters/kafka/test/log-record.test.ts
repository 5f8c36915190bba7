import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { LogEpochs } from '../src/log-epochs.ts'
import { decodeRecord, encodeChat } from '../src/log-record.ts'
import { sampleChat } from './sample-chat.ts'

const epochs = new LogEpochs(undefined, 'log', 1)
const position = { epoch: 1, seq: 5 }

function message(value: string | Buffer | null, headers: Record<string, string> = {}) {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return { key: Buffer.from('7'), value: bytes, headers, offset: '5' }
}

describe('a record of the log', () => {
  it('holds the six fields of a chat, its time as ISO 8601, and comes back as it was', () => {
    const chat = sampleChat()
    const { record, bytes } = encodeChat({ ...chat, extra: 1 } as typeof chat)
    assert.equal(record.key, '7')
    assert.deepEqual(JSON.parse(String(record.value)), {
      ...chat,
      createdAt: new Date(chat.createdAt).toISOString(),
    })
    assert.ok(bytes > Buffer.byteLength(record.value))
    const decoded = decodeRecord(message(record.value as Buffer, record.headers), 0, epochs)
    assert.deepEqual(decoded, { record: { kind: 'chat', position, chat: { ...chat, position } } })
  })

  it('says of each chat its own time, to the millisecond', () => {
    const times = [1_700_000_000_123, 1_700_000_000_123, 1_700_000_000_124.9, 0, 1_700_000_000_123]
    const encoded = times.map(createdAt => encodeChat(sampleChat({ createdAt })))
    const written = encoded.map(({ record }) => JSON.parse(String(record.value)).createdAt)
    assert.deepEqual(
      written,
      times.map(ms => new Date(ms).toISOString()),
    )
    assert.deepEqual(
      encoded.map(({ chat }) => chat.createdAt),
      times.map(Math.trunc),
    )
    assert.throws(() => encodeChat(sampleChat({ createdAt: Number.NaN })), RangeError)
  })

  it('G1.3: of a later kind or layout it is unknown, whatever it holds', () => {
    const names = [{ kind: 'edited' }, { schema: '2' }].map(headers => {
      const { record, poison } = decodeRecord(message('?', headers), 0, epochs)
      assert.equal(poison, undefined)
      return record.kind === 'unknown' ? record.name : assert.fail('is known')
    })
    assert.deepEqual(names, ['edited', 'chat/2'])
  })

  it('G1.6: what is no chat is unreadable, and one away from its home is in the wrong partition', () => {
    const whole = { ...sampleChat(), createdAt: new Date(0).toISOString() }
    const without = (field: string): string => JSON.stringify({ ...whole, [field]: undefined })
    const unreadable = [
      ...Object.keys(whole).map(without),
      JSON.stringify({ ...whole, roomId: '7' }),
      JSON.stringify({ ...whole, roomId: -1 }),
      JSON.stringify({ ...whole, roomId: 2 ** 60 }),
      JSON.stringify({ ...whole, _id: '' }),
      JSON.stringify({ ...whole, createdAt: 5 }),
      JSON.stringify({ ...whole, createdAt: 'yesterday' }),
      'null',
      '[]',
      '7',
      '',
      Buffer.from([0x22, 0xff, 0x22]),
      null,
    ]
    for (const value of unreadable) {
      const { record, poison } = decodeRecord(message(value), 0, epochs)
      assert.equal(poison, 'unreadable', String(value))
      assert.deepEqual(record, { kind: 'unknown', position, name: 'unreadable' })
    }
    const many = new LogEpochs(undefined, 'log', 3)
    const astray = [0, 1, 2].filter(
      partition => decodeRecord(message(JSON.stringify(whole)), partition, many).poison === 'wrong-partition',
    )
    assert.equal(astray.length, 2)
  })
})
