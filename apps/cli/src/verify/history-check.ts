import { type Page, PageError, readPage } from '../chat-http/read-pages.ts'
import { isAbove, type Position } from '../position.ts'
import { pause } from '../stomp/node-chooser.ts'
import { namedChatIn } from './chat-name.ts'
import { Defects } from './defects.ts'
import { judgeView } from './judge-view.ts'
import { NameSet } from './name-set.ts'
import type { RunContext } from './run-context.ts'

const PAGE_CHATS = 200
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000

/** What the history of one node holds of a run. */
export type HistoryVerdict =
  | { readonly kind: 'read'; readonly chats: number; readonly missing: number }
  /** Why its pages could not be read within the time. */
  | { readonly kind: 'unreadable'; readonly reason: string }

export interface HistoryRoom {
  readonly roomId: number
  /** Where the room stood before the run: nothing of the run is at or below. */
  readonly floor: Position
}

/**
 * Reads the rooms' pages of one node until each acknowledged chat is there, or the time is up, and judges what it read
 * last: each once, newest first, where the readers saw it.
 */
export async function checkHistory(
  context: RunContext,
  node: string,
  rooms: readonly HistoryRoom[],
): Promise<HistoryVerdict> {
  const { options, nowMs, defects } = context
  const deadlineMs = nowMs() + options.historyMs
  let waitMs = FIRST_WAIT_MS
  for (;;) {
    const found = new Defects()
    const verdict = await readRooms(context, node, rooms, found).catch(unreadable)
    const isRight = verdict.kind === 'read' && verdict.missing === 0
    if (isRight || nowMs() > deadlineMs) {
      if (verdict.kind === 'read') defects.merge(found)
      return verdict
    }
    await pause(waitMs, new AbortController().signal)
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
  }
}

function unreadable(error: unknown): HistoryVerdict {
  if (error instanceof PageError) return { kind: 'unreadable', reason: error.message }
  throw error
}

async function readRooms(
  context: RunContext,
  node: string,
  rooms: readonly HistoryRoom[],
  found: Defects,
): Promise<HistoryVerdict> {
  let chats = 0
  let missing = 0
  for (const room of rooms) {
    const read = await readRoom(context, node, room, found)
    chats += read.chats
    missing += read.missing
  }
  return { kind: 'read', chats, missing }
}

async function readRoom(
  context: RunContext,
  node: string,
  { roomId, floor }: HistoryRoom,
  found: Defects,
): Promise<{ readonly chats: number; readonly missing: number }> {
  const { ledger, run } = context
  const where = `history of ${node}`
  const seen = new NameSet()
  let chats = 0
  let last: Position | undefined
  for await (const page of pagesDownTo(context, node, roomId, floor)) {
    for (const { content, position } of page.chats) {
      const chat = namedChatIn(run, content)
      const isBelow = last === undefined || isAbove(last, position)
      last = position
      if (chat === undefined) continue
      if (!ledger.has(chat, roomId)) found.add('foreign', where, chat)
      else if (!seen.add(chat)) found.add('doubled', where, chat)
      else {
        chats += 1
        if (!isBelow) found.add('out-of-order', where, chat)
        if (!ledger.place(chat, position)) found.add('misplaced', where, chat)
      }
    }
  }
  return { chats, missing: judgeView(ledger, found, { where, roomId, seen }) }
}

async function* pagesDownTo(
  { options }: RunContext,
  node: string,
  roomId: number,
  floor: Position,
): AsyncGenerator<Page> {
  const token = await options.tokens('verify-reader-0')
  let before: Position | undefined
  for (;;) {
    const page = await readPage({
      node,
      token,
      roomId,
      side: before === undefined ? 'latest' : { before },
      limit: PAGE_CHATS,
      timeoutMs: options.answerTimeoutMs,
    })
    if (!page.complete) throw new PageError(`${node} says that a page is not complete`)
    yield page
    before = page.chats.at(-1)?.position
    if (!page.hasMore || before === undefined || !isAbove(before, floor)) return
  }
}
