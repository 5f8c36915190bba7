import type { Defects } from './defects.ts'
import type { Ledger } from './ledger.ts'
import type { NameSet } from './name-set.ts'

/** What a reader, or the history of a node, has seen of a room. */
interface View {
  readonly where: string
  readonly roomId: number
  readonly seen: NameSet
}

/** What is missing of the acknowledged, and what is there of the refused; returns how many are missing. */
export function judgeView(ledger: Ledger, defects: Defects, { where, roomId, seen }: View): number {
  let missing = 0
  for (const chat of ledger.names(roomId)) {
    const isThere = seen.has(chat)
    switch (ledger.fateOf(chat)) {
      case 'acknowledged':
        if (isThere) break
        missing += 1
        defects.add('missing', where, chat)
        break
      case 'failed':
        if (isThere) defects.add('phantom', where, chat)
        break
      case 'open':
      case 'unknown':
        break
    }
  }
  return missing
}
