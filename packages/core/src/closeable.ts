/**
 * Everything that holds a resource. `close` stops intake, drains within its own limit, releases; it may be called any
 * number of times and concurrently, and every call resolves when it is closed. Later calls of other methods reject
 * with UNAVAILABLE.
 */
export interface Closeable extends AsyncDisposable {
  close(): Promise<void>
}
