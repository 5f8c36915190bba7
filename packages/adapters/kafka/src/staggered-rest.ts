/**
 * How long a partition rests before it tries again. All partitions that a broker leads share a connection, and a
 * connection that is lost fails them all at once: were they to try again at once too, a request that costs the
 * connection each time would take the others along for ever. So each has a moment of its own.
 */
export function staggeredRestMs(restMs: number, partition: number, partitions: number): number {
  return restMs * (1 + partition / partitions)
}
