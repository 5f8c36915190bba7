import type { CancelTimer, Clock } from '../clock.ts'
import { ChatError } from '../error.ts'
import type { Limits } from '../limit/limits.ts'
import type { PartitionRange } from './chat-log.ts'
import type { Position } from './position.ts'

/** Somebody needs a partition followed, until it lets go. */
export interface FollowHold {
  /**
   * Undefined while the partition is followed. Else the head that it had when it was begun again, once the follower has
   * passed it, and the head of the moment of `hold` where that is another; rejects when the partition could not be begun.
   */
  readonly begun: Promise<Position> | undefined
  /** Idempotent. */
  release(): void
}

/** Which partitions of the log this node follows (SPEC G4.2). */
export interface FollowedPartitions {
  /** How many are followed now. */
  readonly count: number
  hold(partition: number): FollowHold
  /**
   * Waits, with a partition that is being begun, until its head is known: what is appended after that is above the head.
   * Undefined: there is nothing to wait for.
   */
  measured(partition: number): Promise<unknown> | undefined
  /** No partition is left or begun any more. */
  close(): void
}

const NO_HOLD: FollowHold = Object.freeze({ begun: undefined, release: () => undefined })

/** Every partition, always. */
export function allPartitions(count: number): FollowedPartitions {
  return { count, hold: () => NO_HOLD, measured: () => undefined, close: () => undefined }
}

/** The partition's head when it was begun again, or UNAVAILABLE after `timeoutMs`; undefined while it is followed. */
export function begunWithin(
  { begun }: FollowHold,
  clock: Clock,
  timeoutMs: number,
): Promise<Position> | undefined {
  if (begun === undefined) return undefined
  return new Promise((resolve, reject) => {
    const failed = (cause?: unknown): void => {
      cancel()
      const options = { details: { waitsFor: 'log' }, ...(cause === undefined ? {} : { cause }) }
      reject(new ChatError('UNAVAILABLE', 'this node cannot follow the room right now', options))
    }
    const cancel = clock.after(timeoutMs, () => failed())
    begun.then(head => {
      cancel()
      resolve(head)
    }, failed)
  })
}

/** What the partitions are followed by. */
export interface PartitionFollower {
  range(partition: number): Promise<PartitionRange>
  begin(partition: number, range: PartitionRange): Promise<Position>
  /** Resolves once the head of this moment was passed. */
  reachHead(partition: number): Promise<void>
  leave(partition: number): void
}

type PartitionPhase =
  | { readonly phase: 'followed'; readonly cancelRest?: CancelTimer }
  | {
      readonly phase: 'beginning'
      readonly measured: Promise<unknown>
      /** For those who came while it was being begun; the same head, since what they send then is to come to them. */
      readonly forLater: () => Promise<Position>
    }
  | { readonly phase: 'left' }

interface Part {
  holds: number
  state: PartitionPhase
}

const FOLLOWED: PartitionPhase = { phase: 'followed' }
const LEFT: PartitionPhase = { phase: 'left' }

/**
 * The partitions that somebody holds, and each for `followRestMs` after the last one let go, so that a page that is
 * loaded again begins nothing. All are followed at first: a start checks them all, and fills their held ids.
 */
export class WantedPartitions implements FollowedPartitions {
  private readonly follower: PartitionFollower
  private readonly clock: Clock
  private readonly limits: Limits
  private readonly parts: readonly Part[]
  private closed = false

  constructor(options: {
    partitions: number
    follower: PartitionFollower
    clock: Clock
    limits: Limits
  }) {
    this.follower = options.follower
    this.clock = options.clock
    this.limits = options.limits
    this.parts = Array.from({ length: options.partitions }, () => ({ holds: 0, state: FOLLOWED }))
    for (const partition of this.parts.keys()) this.rest(partition)
  }

  get count(): number {
    return this.parts.filter(({ state }) => state.phase !== 'left').length
  }

  hold(partition: number): FollowHold {
    const part = this.part(partition)
    part.holds += 1
    let held = true
    const release = (): void => {
      if (!held) return
      held = false
      part.holds -= 1
      this.rest(partition)
    }
    return { begun: this.wanted(partition, part), release }
  }

  measured(partition: number): Promise<unknown> | undefined {
    const { state } = this.part(partition)
    return state.phase === 'beginning' ? state.measured : undefined
  }

  close(): void {
    this.closed = true
    for (const { state } of this.parts) if (state.phase === 'followed') state.cancelRest?.()
  }

  private wanted(partition: number, part: Part): Promise<Position> | undefined {
    switch (part.state.phase) {
      case 'followed':
        part.state.cancelRest?.()
        part.state = FOLLOWED
        return undefined
      case 'beginning':
        return part.state.forLater()
      case 'left':
        return this.begin(partition, part)
    }
  }

  private begin(partition: number, part: Part): Promise<Position> {
    const { follower } = this
    const range = this.closed
      ? Promise.reject(new ChatError('UNAVAILABLE', 'this node is stopping'))
      : follower.range(partition)
    const begun = range.then(found => follower.begin(partition, found))
    const measured = range.catch(() => undefined)
    let later: Promise<Position> | undefined
    const forLater = (): Promise<Position> => {
      if (later === undefined) {
        later = begun.then(head => follower.reachHead(partition).then(() => head))
        // Whoever asked may be gone by then.
        later.catch(() => undefined)
      }
      return later
    }
    part.state = { phase: 'beginning', measured, forLater }
    begun.then(
      () => {
        part.state = FOLLOWED
        this.rest(partition)
      },
      () => {
        part.state = LEFT
      },
    )
    return begun
  }

  /** Leaves a partition that nobody has held for a while. */
  private rest(partition: number): void {
    const part = this.part(partition)
    if (part.holds > 0 || part.state.phase !== 'followed' || this.closed) return
    part.state.cancelRest?.()
    const cancelRest = this.clock.after(this.limits.followRestMs, () => {
      part.state = LEFT
      this.follower.leave(partition)
    })
    part.state = { phase: 'followed', cancelRest }
  }

  private part(partition: number): Part {
    const part = this.parts[partition]
    if (part === undefined) throw new RangeError(`there is no partition ${partition}`)
    return part
  }
}
