import type { StompSubscription } from './session-handler.ts'

/** The subscriptions of one session, by id; in 1.0, where a client may leave the id out, by destination then. */
export class Subscriptions<S extends StompSubscription> {
  readonly #byKey = new Map<string, S>()

  get size(): number {
    return this.#byKey.size
  }

  values(): Iterable<S> {
    return this.#byKey.values()
  }

  add(id: string | undefined, subscription: S): void {
    this.#byKey.set(keyOf(id, subscription.destination), subscription)
  }

  /** The one that a SUBSCRIBE of this id and destination would double. */
  find(id: string | undefined, destination: string): S | undefined {
    return this.#byKey.get(keyOf(id, destination))
  }

  /** Removes by id; without one, by destination, even when that was subscribed with an id. */
  remove(id: string | undefined, destination: string): S | undefined {
    const key = this.#keyFor(id, destination)
    const subscription = this.#byKey.get(key)
    this.#byKey.delete(key)
    return subscription
  }

  #keyFor(id: string | undefined, destination: string): string {
    const key = keyOf(id, destination)
    if (id !== undefined || this.#byKey.has(key)) return key
    for (const [other, subscription] of this.#byKey) {
      if (subscription.destination === destination) return other
    }
    return key
  }
}

function keyOf(id: string | undefined, destination: string): string {
  return id === undefined ? `destination ${destination}` : `id ${id}`
}
