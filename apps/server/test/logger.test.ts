import { describe, expect, it } from 'vitest'
import { pinoLogger, readableLine } from '../src/logger.ts'

function logging(level = 'info'): { lines: string[]; logger: ReturnType<typeof pinoLogger> } {
  const lines: string[] = []
  return { lines, logger: pinoLogger(level, { write: line => void lines.push(line) }) }
}

describe('pinoLogger', () => {
  it('writes one line of JSON with level, time, message and fields', () => {
    const { lines, logger } = logging()
    logger.warn('slow', { roomId: 7 })
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/Z$/),
      roomId: 7,
      msg: 'slow',
    })
  })

  it('leaves out what is below its level', () => {
    const { lines, logger } = logging('error')
    logger.info('x')
    expect(lines).toEqual([])
  })

  it('masks what should never have been given to it', () => {
    const { lines, logger } = logging()
    const error = Object.assign(new Error('refused'), { token: 'hunter2' })
    logger.error('x', {
      token: 'hunter2',
      secret: 'hunter2',
      authorization: 'hunter2',
      content: 'hunter2',
      error,
    })
    expect(lines.join()).not.toContain('hunter2')
    expect(lines.join()).toContain('refused')
  })

  it('keeps the cause of an error', () => {
    const { lines, logger } = logging()
    logger.error('x', { error: new Error('outer', { cause: new Error('inner') }) })
    expect(lines.join()).toContain('inner')
  })

  it('reads well on a terminal', () => {
    expect(
      readableLine(
        '{"level":"info","time":"2026-01-02T03:04:05.678Z","msg":"serving","port":8031,"host":"::"}\n',
      ),
    ).toBe('03:04:05 INFO  serving port=8031 host=::\n')
  })
})
