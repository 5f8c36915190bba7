/** Typed events: `on` answers a function that takes the listener away again. */
export class Listeners<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // A function of its own for each call, so that one listener added twice is two.
    const own = (event: Events[Name]): void => listener(event)
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  /** A listener that throws does not keep the others, or the connection, from going on: its error is uncaught. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(event as never)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
