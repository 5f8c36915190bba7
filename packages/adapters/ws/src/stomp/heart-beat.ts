/** What this server offers, in milliseconds; 0 means none in that direction. */
export interface HeartBeatSettings {
  /** The shortest time between two of the server's heart-beats. */
  readonly sendMs: number
  /** How often the server wants to hear from a client. */
  readonly receiveMs: number
}

/** What both sides agreed on, in milliseconds; 0 means none in that direction. */
export interface HeartBeat {
  readonly sendEveryMs: number
  readonly expectEveryMs: number
}

const NO_HEART_BEAT: HeartBeat = { sendEveryMs: 0, expectEveryMs: 0 }

const HEADER = /^\s*(\d{1,10})\s*,\s*(\d{1,10})\s*$/

/**
 * The agreement from a client's `heart-beat: cx,cy` (STOMP 1.2, "Heart-beating"): in each direction none when one side
 * says 0, else the slower of the two. An absent header means `0,0`; undefined: the header is no pair of numbers.
 */
export function agreeHeartBeat(
  header: string | undefined,
  settings: HeartBeatSettings,
): HeartBeat | undefined {
  if (header === undefined) return NO_HEART_BEAT
  const match = HEADER.exec(header)
  if (match === null) return undefined
  return {
    sendEveryMs: slower(settings.sendMs, Number(match[2])),
    expectEveryMs: slower(Number(match[1]), settings.receiveMs),
  }
}

function slower(offeredMs: number, wantedMs: number): number {
  return offeredMs === 0 || wantedMs === 0 ? 0 : Math.max(offeredMs, wantedMs)
}

export interface HeartBeatTiming {
  readonly heartBeatTolerance: number
  readonly tickMs: number
}

/** When one session was last heard and last written to, in milliseconds of the caller's clock. */
export class HeartBeatWatch {
  #heardMs: number
  #wroteMs: number
  #tickedMs: number
  #wrote = false

  constructor(nowMs: number) {
    this.#heardMs = nowMs
    this.#wroteMs = nowMs
    this.#tickedMs = nowMs
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs
  }

  /** Takes no time, for the path that every message goes. */
  wrote(): void {
    this.#wrote = true
  }

  /** Once every `tickMs`: whether the peer is dead, a heart-beat is due before the next tick, or neither. */
  tick(nowMs: number, heartBeat: HeartBeat, timing: HeartBeatTiming): 'dead' | 'beat' | 'rest' {
    const { expectEveryMs, sendEveryMs } = heartBeat
    const { heartBeatTolerance, tickMs } = timing
    // While this process stood still, or its clock was set, nobody could be heard: that time is not the peer's.
    const stoodStillMs = nowMs - this.#tickedMs - tickMs
    if (stoodStillMs > tickMs) this.#heardMs += stoodStillMs
    if (this.#heardMs > nowMs) this.#heardMs = nowMs
    // What was written since the last tick left at that tick or later: counting from there is never late.
    if (this.#wrote) this.#wroteMs = this.#tickedMs
    if (this.#wroteMs > nowMs) this.#wroteMs = nowMs
    this.#wrote = false
    this.#tickedMs = nowMs
    if (expectEveryMs > 0 && nowMs - this.#heardMs > expectEveryMs * heartBeatTolerance) return 'dead'
    if (sendEveryMs === 0 || nowMs + tickMs - this.#wroteMs < sendEveryMs) return 'rest'
    this.#wroteMs = nowMs
    return 'beat'
  }
}
