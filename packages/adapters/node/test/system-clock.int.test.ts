import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { testClock } from '@sgs-chat/contract'
import { systemClock } from '@sgs-chat/node'
import { describe, expect, it } from 'vitest'

for (const keepAlive of [true, false]) {
  testClock({
    name: `system, keepAlive ${keepAlive}`,
    create: async () => ({
      clock: systemClock({ keepAlive }),
      advance: async ms => {
        await sleep(ms + 5)
      },
      dispose: async () => undefined,
    }),
  })
}

describe('systemClock', () => {
  it('takes a negative delay as none, an endless one as never, and refuses what is no number', async () => {
    const clock = systemClock()
    const ran: number[] = []
    clock.after(-5, () => ran.push(-5))
    const cancel = clock.after(Number.POSITIVE_INFINITY, () => ran.push(1))
    await sleep(10)
    cancel()
    expect(ran).toEqual([-5])
    expect(() => clock.after(Number.NaN, () => undefined)).toThrow(RangeError)
  })

  it.each([
    [true, 'set, ran'],
    [false, 'set'],
  ])('keeps its process alive for a timer: %s', (keepAlive, output) => {
    const script = `import { systemClock } from '${new URL('../src/index.ts', import.meta.url).href}'
      process.stdout.write('set')
      systemClock({ keepAlive: ${keepAlive} }).after(50, () => process.stdout.write(', ran'))`
    const flags = ['--conditions=@sgs-chat/source', '--input-type=module', '--eval', script]
    const { status, stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: output, stderr: '' })
  })
})
