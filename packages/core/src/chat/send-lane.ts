/**
 * One sender's place in the order: what runs in it runs one after the other, in the order of the calls. A task that
 * needs not wait, in a lane where nothing waits, is done within the call.
 */
export class SendLane {
  private tail: Promise<unknown> | undefined

  run<T>(task: () => T | Promise<T>): T | Promise<T> {
    const result = this.tail === undefined ? task() : this.tail.then(task)
    return result instanceof Promise ? this.hold(result) : result
  }

  private hold<T>(result: Promise<T>): Promise<T> {
    const leave = (): void => {
      if (this.tail === turn) this.tail = undefined
    }
    const turn = result.then(leave, leave)
    this.tail = turn
    return result
  }
}
