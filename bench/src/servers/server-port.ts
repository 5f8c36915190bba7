/** The port that the bench chose for this server. */
export function serverPort(): number {
  const port = Number(process.env.PORT)
  if (!Number.isInteger(port) || port <= 0)
    throw new RangeError('PORT is not set: the bench starts this program')
  return port
}

export const HOST = '127.0.0.1'
