import { type BulkWriteResult, MongoBulkWriteError, MongoNetworkError, MongoServerError } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { duplicateKeysOf, isDuplicateKey, toChatError } from '../src/mongodb-errors.ts'

const target = { hosts: 'db.example:27017', replicaSet: undefined }

/** As the driver makes it of a bulk's write errors and its write concern error. */
function bulkError(codes: readonly number[], concern?: { readonly code: number }): MongoBulkWriteError {
  const writeErrors = codes.map((code, index) => ({ code, index: index * 2 }))
  const result = { getWriteConcernError: () => concern } as unknown as BulkWriteResult
  const first = codes[0] ?? concern?.code
  return new MongoBulkWriteError({ message: 'failed', code: first, writeErrors } as never, result)
}

describe('mongodb-errors', () => {
  it('G3.4: takes a bulk for done only when every failure is a duplicate key', () => {
    expect(duplicateKeysOf(bulkError([11_000, 11_000]))).toEqual([0, 2])
    const lostConnection = new MongoBulkWriteError(
      new MongoNetworkError('connection closed') as never,
      { getWriteConcernError: () => undefined } as unknown as BulkWriteResult,
    )
    const others = [
      bulkError([11_000, 121]),
      bulkError([]),
      bulkError([], { code: 64 }),
      bulkError([11_000], { code: 64 }),
      lostConnection,
      new MongoNetworkError('connection closed'),
      new MongoServerError({ code: 11_000, message: 'not of a bulk' }),
    ]
    for (const cause of others) expect(() => duplicateKeysOf(cause)).toThrow(cause)
  })

  it('knows a duplicate key by its code alone', () => {
    expect(isDuplicateKey(new MongoServerError({ code: 11_000, message: 'x' }))).toBe(true)
    expect(isDuplicateKey(new MongoServerError({ code: 11_001, message: 'E11000 duplicate key' }))).toBe(
      false,
    )
    expect(isDuplicateKey(new Error('E11000 duplicate key'))).toBe(false)
  })

  it('says what failed, whether it may have happened, and whether trying again helps; and keeps the cause', () => {
    const server = (code: number): MongoServerError =>
      new MongoServerError({ code, message: 'secret content' })
    for (const [cause, isWrite, expected] of [
      [bulkError([], { code: 64 }), true, { outcome: 'unknown', retryable: true, text: /majority/ }],
      [server(18), false, { outcome: 'rejected', retryable: false, text: /refuses the user of MONGODB_URL/ }],
      [server(13), true, { outcome: 'rejected', retryable: false, text: /refuses the user of MONGODB_URL/ }],
      [server(14_031), true, { outcome: 'unknown', retryable: true, text: /disk of MongoDB is full/ }],
      [server(189), true, { outcome: 'unknown', retryable: true, text: /could not be used \(code 189\)/ }],
      [
        new MongoNetworkError('closed'),
        false,
        { outcome: 'rejected', retryable: true, text: /MongoNetworkError/ },
      ],
    ] as const) {
      const { text, ...fields } = expected
      const error = toChatError(cause, target, isWrite)
      expect(error).toMatchObject({
        code: 'UNAVAILABLE',
        cause,
        details: { waitsFor: 'MONGODB_URL' },
        ...fields,
      })
      expect(error.description).toMatch(text)
      expect(error.description).not.toContain('secret content')
    }
  })

  it('what is no error of the driver is a bug, and told as one', () => {
    expect(toChatError(new TypeError('x'), target, true)).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' })
  })
})
