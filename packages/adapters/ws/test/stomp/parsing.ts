import type { StompFault, StompFrame, StompFrameLimits, StompVersion } from '../../src/stomp/frame.ts'
import { StompParser } from '../../src/stomp/parser.ts'

export interface Everything {
  readonly frames: readonly StompFrame[]
  readonly fault: StompFault | undefined
}

/** All that comes out of pieces; bodies copied, since they may be views. */
export function parseIn(
  pieces: readonly (string | Uint8Array)[],
  version: StompVersion = '1.2',
  limits?: StompFrameLimits,
): Everything {
  const parser = new StompParser(limits)
  parser.version = version
  const frames: StompFrame[] = []
  let fault: StompFault | undefined
  for (const piece of pieces) {
    parser.push(piece)
    for (let parsed = parser.next(); parsed !== undefined; parsed = parser.next()) {
      if (parsed.type === 'frame') frames.push({ ...parsed.frame, body: Uint8Array.from(parsed.frame.body) })
      else if (parsed.type === 'fault') fault = parsed.fault
    }
  }
  return { frames, fault }
}

export function parseAll(data: string | Uint8Array, version: StompVersion = '1.2'): Everything {
  return parseIn([data], version)
}
