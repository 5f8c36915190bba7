/** Loaded before a server (`--import`): for that process this machine's clock is off by CLOCK_OFFSET_MS. */
const offsetMs = Number(process.env.CLOCK_OFFSET_MS)
const RealDate = globalThis.Date

globalThis.Date = new Proxy(RealDate, {
  construct: (real, given: unknown[]): Date =>
    Reflect.construct(real, given.length === 0 ? [real.now() + offsetMs] : given) as Date,
  get: (real, name) => (name === 'now' ? () => real.now() + offsetMs : Reflect.get(real, name)),
})
