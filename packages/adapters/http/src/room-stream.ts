import { Readable } from 'node:stream'
import type { LoggedChat } from '@sgs-chat/core'
import type { Wire } from './wire.ts'

/** A piece of the answer, in characters: what a reader that stops leaves waiting, beside one page of chats. */
const PIECE_LENGTH = 65_536

const HEAD = '{"result":"SUCCESS","message":"get chats in room successfully","data":['
const TAIL = ']}'

/**
 * The answer for a whole room as a stream that reads no page before the last one was taken. Rejects when the first page
 * cannot be read, so that this is still an answer of its own.
 */
export async function roomStream(pages: AsyncIterable<readonly LoggedChat[]>, wire: Wire): Promise<Readable> {
  const rest = pages[Symbol.asyncIterator]()
  const first = await rest.next()
  return Readable.from(pieces(first, rest, wire), { objectMode: false, highWaterMark: PIECE_LENGTH })
}

async function* pieces(
  first: IteratorResult<readonly LoggedChat[]>,
  rest: AsyncIterator<readonly LoggedChat[]>,
  wire: Wire,
): AsyncGenerator<Buffer> {
  let piece = HEAD
  let separator = ''
  try {
    for (let page = first; page.done !== true; page = await rest.next()) {
      for (const chat of page.value) {
        piece += separator + JSON.stringify(wire.chat(chat))
        separator = ','
        if (piece.length < PIECE_LENGTH) continue
        yield Buffer.from(piece)
        piece = ''
      }
    }
    yield Buffer.from(piece + TAIL)
  } finally {
    await rest.return?.()
  }
}
