/** A chat's place in its room as the wire has it: `epoch:seq` (docs/SPEC.md, G2.1). */
export interface Position {
  readonly epoch: number
  readonly seq: number
}

/** Of a header or a field; undefined for anything but `epoch:seq`. The head of an empty log has the seq −1. */
export function positionIn(text: string | undefined): Position | undefined {
  const match = /^(\d{1,10}):(-1|\d{1,16})$/.exec(text ?? '')
  return match === null ? undefined : { epoch: Number(match[1]), seq: Number(match[2]) }
}

export function isAbove(a: Position, b: Position): boolean {
  return a.epoch === b.epoch ? a.seq > b.seq : a.epoch > b.epoch
}

export function positionText({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`
}
