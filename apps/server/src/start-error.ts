/** A start that failed, with the setting to look at. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly setting: string

  constructor(setting: string, description: string, options?: ErrorOptions) {
    super(`${setting}: ${description}`, options)
    this.setting = setting
  }
}
