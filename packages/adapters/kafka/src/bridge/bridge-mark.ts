import { formatPosition, type LogIdentity, type Position, parsePosition } from '@sgs-chat/core'
import type { DriverMessage } from '../kafka-driver.ts'
import { headerOf } from '../log-record.ts'

/** Headers of a record that the bridge has written into a topic of the Java servers, which ignore headers. */
const LOG = 'sgs-chat-log'
const PLACE = 'sgs-chat-place'

/** Which record of our log a record of theirs is a copy of. */
export interface BridgeMark {
  readonly partition: number
  readonly position: Position
}

/** The same log keeps its name over its epochs. */
export function logName({ clusterId, topic }: Pick<LogIdentity, 'clusterId' | 'topic'>): string {
  return `${clusterId}/${topic}`
}

export function markHeaders(log: string, { partition, position }: BridgeMark): Record<string, string> {
  return { [LOG]: log, [PLACE]: `${partition}/${formatPosition(position)}` }
}

/** Undefined for a record that did not come from this log; a mark that cannot be read has no place. */
export function markOf(
  message: DriverMessage,
  log: string,
): { readonly mark: BridgeMark | undefined } | undefined {
  if (headerOf(message, LOG) !== log) return undefined
  const [, partition, place] = /^(\d{1,9})\/(.+)$/.exec(headerOf(message, PLACE) ?? '') ?? []
  if (partition === undefined || place === undefined) return { mark: undefined }
  try {
    return { mark: { partition: Number(partition), position: parsePosition(place, PLACE) } }
  } catch {
    return { mark: undefined }
  }
}
