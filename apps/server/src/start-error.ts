/** A start that failed, with the setting to look at. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly setting: string

  constructor(setting: string, description: string, options?: ErrorOptions) {
    super(`${setting}: ${description}`, options)
    this.setting = setting
  }
}

/** Why nothing could listen there, with the setting to look at; what is no such failure comes back as it is. */
export function listenError(
  settings: { readonly port: string; readonly host: string },
  { port, host }: { readonly port: number; readonly host: string },
  cause: unknown,
): unknown {
  switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
    case 'EADDRINUSE':
      return new StartError(settings.port, `${port} at ${host} is in use`, { cause })
    case 'EACCES':
      return new StartError(settings.port, `this user may not serve on ${port}`, { cause })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(settings.host, `this machine has no address ${host}`, { cause })
    default:
      return cause
  }
}
