/** A queue with random access: appending, taking the first and looking at any are all O(1), amortised. */
export class Fifo<T> {
  private items: (T | undefined)[] = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  get first(): T | undefined {
    return this.items[this.head]
  }

  get last(): T | undefined {
    return this.length === 0 ? undefined : this.items[this.items.length - 1]
  }

  push(item: T): void {
    this.items.push(item)
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.items[this.head]
    this.items[this.head] = undefined
    this.head += 1
    if (this.head > 32 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return item
  }

  /** Items `from` to, not including, `to`; index 0 is the first. */
  slice(from: number, to: number = this.length): T[] {
    return this.items.slice(this.head + Math.max(0, from), this.head + Math.min(this.length, to)) as T[]
  }

  /** How many items from the start on satisfy `belongs`, which must hold for a prefix only. */
  prefix(belongs: (item: T) => boolean): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (belongs(this.items[this.head + middle] as T)) low = middle + 1
      else high = middle
    }
    return low
  }
}
