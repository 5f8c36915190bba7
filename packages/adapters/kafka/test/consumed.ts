import assert from 'node:assert/strict'
import type { ChatLog } from '@sgs-chat/core'

/** Consumes from the beginning of the log. @returns resolves once a chat has come */
export async function consumed(log: ChatLog): Promise<(id: string) => Promise<void>> {
  const arrivals = new Map<string, PromiseWithResolvers<void>>()
  const arrivalOf = (id: string): PromiseWithResolvers<void> => {
    const known = arrivals.get(id) ?? Promise.withResolvers<void>()
    arrivals.set(id, known)
    return known
  }
  await log.consume({
    start: async () => undefined,
    lost: async () => assert.fail('nothing was lost'),
    batch: async (_partition, { records }) => {
      for (const record of records) if (record.kind === 'chat') arrivalOf(record.chat._id).resolve()
    },
  })
  return id => arrivalOf(id).promise
}
