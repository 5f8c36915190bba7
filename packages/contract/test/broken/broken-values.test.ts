import {
  type ClockHarness,
  clockRules,
  type IdsHarness,
  idsRules,
  type LoggedLine,
  type LoggerHarness,
  loggerRules,
  type RoomAccessHarness,
  roomAccessRules,
  type TokenVerifierHarness,
  tokenVerifierRules,
} from '@sgs-chat/contract'
import { manualClock, recordingLogger, seededIds } from '@sgs-chat/contract/fakes'
import {
  ChatError,
  type Clock,
  type Ids,
  type Logger,
  parseRoomId,
  type RoomAccess,
  type TokenVerifier,
  type User,
  userId,
} from '@sgs-chat/core'
import { memoryTokenVerifier } from '@sgs-chat/memory'
import { describe } from 'vitest'
import { type Breakage, expectBroken } from './expect-broken.ts'

const dispose = async (): Promise<void> => undefined

function brokenAccess(
  what: string,
  caughtBy: readonly string[],
  breaks: (reachable: () => boolean) => RoomAccess['may'],
): Breakage<RoomAccessHarness> {
  const create = async (): Promise<RoomAccessHarness> => {
    let reachable = true
    const ask = (name: string, room: number) =>
      ({ user: { userId: userId(name) }, action: 'read', roomId: parseRoomId(room) }) as const
    return {
      access: { maxAgeMs: 1_000, may: breaks(() => reachable) },
      allowed: [ask('alice', 1), ask('bob', 2)],
      denied: [ask('alice', 2), ask('bob', 1)],
      unknownRoom: ask('alice', 404),
      hang: async () => undefined,
      breakConnection: async () => {
        reachable = false
      },
      restoreConnection: async () => {
        reachable = true
      },
      dispose,
    }
  }
  return { what, caughtBy, create }
}

const may = (user: User, room: number): boolean => (user.userId === 'alice' ? 1 : 2) === room

describe('the RoomAccess suite', () => {
  expectBroken(roomAccessRules, [
    brokenAccess('lets everybody in', ['R2', 'R3', 'R6'], () => async () => true),
    brokenAccess('lets nobody in', ['R1', 'R3'], () => async () => false),
    brokenAccess('remembers a room without its user', ['R2', 'R3'], () => {
      const known = new Map<number, boolean>()
      return async (user, _action, room) => {
        const answer = known.get(room) ?? true
        known.set(room, may(user, room))
        return answer
      }
    }),
    brokenAccess(
      'lets in when it cannot tell',
      ['R5'],
      reachable => async (user, _action, room) => !reachable() || may(user, room),
    ),
    brokenAccess(
      'takes a failure for a no',
      ['R5'],
      reachable => async (user, _action, room) => reachable() && may(user, room),
    ),
    brokenAccess('lets the error of its client out', ['R5'], reachable => async (user, _action, room) => {
      if (!reachable()) throw new TypeError('fetch failed')
      return may(user, room)
    }),
    brokenAccess('waits for ever', ['R8'], () => () => new Promise(() => undefined)),
    brokenAccess('does not look at the signal', ['R7'], () => async (user, _action, room) => may(user, room)),
  ])
})

function brokenVerifier(
  what: string,
  caughtBy: readonly string[],
  breaks: (verifier: TokenVerifier, tokens: Record<string, User>) => TokenVerifier,
): Breakage<TokenVerifierHarness> {
  const create = async (): Promise<TokenVerifierHarness> => {
    const tokens: Record<string, User> = {}
    const keep = (user: User): string => {
      const token = `token-number-${Object.keys(tokens).length}.with-three-parts.of-some-length`
      tokens[token] = user
      return token
    }
    return {
      verifier: breaks(memoryTokenVerifier({ tokens }), tokens),
      makeGood: async claims =>
        keep({
          userId: userId(claims.userId),
          ...(claims.expiresInMs === undefined ? {} : { expiresAtMs: Date.now() + claims.expiresInMs }),
          ...(claims.rooms === undefined ? {} : { rooms: claims.rooms.map(parseRoomId) }),
        }),
      makeExpired: async () => keep({ userId: userId('alice'), expiresAtMs: 1 }),
      makeOfOtherAlgorithms: async () => [keep({ userId: userId('mallory') })],
      makeOfOtherKey: async () => keep({ userId: userId('mallory') }),
      dispose,
    }
  }
  return { what, caughtBy, create }
}

describe('the TokenVerifier suite', () => {
  expectBroken(tokenVerifierRules, [
    brokenVerifier('does not look at the end', ['T4', 'T13'], (_verifier, tokens) =>
      memoryTokenVerifier({ tokens, nowMs: () => 0 }),
    ),
    brokenVerifier('answers the end in seconds', ['T2'], verifier => ({
      verify: async token => {
        const user = await verifier.verify(token)
        return user.expiresAtMs === undefined ? user : { ...user, expiresAtMs: user.expiresAtMs / 1_000 }
      },
    })),
    brokenVerifier('takes a token by its beginning', ['T7'], (verifier, tokens) => ({
      verify: token => verifier.verify(Object.keys(tokens).find(known => token.startsWith(known)) ?? token),
    })),
    brokenVerifier('says the token in its error', ['T4', 'T6'], verifier => ({
      verify: token =>
        verifier.verify(token).catch(() => {
          throw new ChatError('INVALID_TOKEN', `not a token: ${token}`, { details: { reason: 'expired' } })
        }),
    })),
    brokenVerifier('lets an error of its parser out', ['T6'], verifier => ({
      verify: async token => {
        if (token.startsWith('{')) throw new SyntaxError('Unexpected token')
        return verifier.verify(token)
      },
    })),
    brokenVerifier('takes any algorithm and key', ['T8', 'T9'], verifier => verifier),
    brokenVerifier('throws outside its promise', ['T5'], verifier => ({
      verify: token => {
        if (token === '') throw new ChatError('INVALID_TOKEN', 'none', { details: { reason: 'missing' } })
        return verifier.verify(token)
      },
    })),
    brokenVerifier('leaves the rooms out', ['T3'], verifier => ({
      verify: async token => {
        const { rooms: _rooms, ...user } = await verifier.verify(token)
        return user
      },
    })),
  ])
})

function brokenIds(
  what: string,
  caughtBy: readonly string[],
  breaks: (ids: Ids) => Partial<Ids>,
): Breakage<IdsHarness> {
  const open = async (): Promise<Ids> => {
    const ids = seededIds(3)
    return { ...ids, ...breaks(ids) }
  }
  return { what, caughtBy, create: async () => ({ ids: await open(), openAnother: open, dispose }) }
}

describe('the Ids suite', () => {
  expectBroken(idsRules, [
    brokenIds('puts its parts together without their lengths', ['I5', 'I6'], ids => ({
      hash: parts => ids.hash([parts.join('')]),
    })),
    brokenIds('puts a comma between its parts', ['I5', 'I6'], ids => ({
      hash: parts => ids.hash([parts.join(',')]),
    })),
    brokenIds('makes ids in no order within a millisecond', ['I2', 'I3'], () => ({
      next: nowMs => seededIds(Math.floor(Math.random() * 1_000_000)).next(nowMs),
    })),
    brokenIds('goes back with the time', ['I3'], () => {
      let last = { ms: 0, ids: seededIds(1) }
      return {
        next: nowMs => {
          if (nowMs < last.ms) last = { ms: nowMs, ids: seededIds(1) }
          last.ms = nowMs
          return last.ids.next(nowMs)
        },
      }
    }),
    brokenIds('begins the same way on every node', ['I4'], () => ({})),
    brokenIds('draws random of half a byte', ['I9'], () => ({
      random: () =>
        Buffer.from(Array.from({ length: 16 }, () => Math.floor(Math.random() * 16))).toString('base64url'),
    })),
    brokenIds('makes ids of 24 hex digits', ['I1', 'I10'], () => ({
      next: nowMs => nowMs.toString(16).padStart(24, '0'),
    })),
    brokenIds('signs without the secret', ['I8'], ids => ({ mac: (_secret, parts) => ids.mac('', parts) })),
  ])
})

function brokenClock(
  what: string,
  caughtBy: readonly string[],
  breaks: (clock: Clock) => Partial<Clock>,
): Breakage<ClockHarness> {
  const create = async (): Promise<ClockHarness> => {
    const manual = manualClock()
    return { clock: { ...manual, ...breaks(manual) }, advance: ms => manual.advanceAsync(ms), dispose }
  }
  return { what, caughtBy, create }
}

describe('the Clock suite', () => {
  expectBroken(clockRules, [
    brokenClock('runs a timer without a delay at once', ['C2', 'C5', 'C8'], clock => ({
      after: (delayMs, run) => {
        if (delayMs > 0) return clock.after(delayMs, run)
        run()
        return () => undefined
      },
    })),
    brokenClock('runs early', ['C3'], clock => ({ after: (delayMs, run) => clock.after(delayMs / 2, run) })),
    brokenClock('runs again and again', ['C4'], clock => ({
      after: (delayMs, run) => {
        const again = (): void => {
          run()
          clock.after(10, again)
        }
        return clock.after(delayMs, again)
      },
    })),
    brokenClock('does not cancel', ['C5', 'C6', 'C10'], clock => ({
      after: (delayMs, run) => {
        clock.after(delayMs, run)
        return () => undefined
      },
    })),
    brokenClock('turns a long delay round', ['C9'], clock => ({
      after: (delayMs, run) => clock.after(delayMs > 2 ** 31 - 1 ? 1 : delayMs, run),
    })),
    brokenClock('answers seconds', ['C1'], clock => ({ nowMs: () => Math.floor(clock.nowMs() / 1_000) })),
  ])
})

function brokenLogger(
  what: string,
  caughtBy: readonly string[],
  breaks: (logger: Logger) => Partial<Logger>,
  read: (line: LoggedLine) => readonly LoggedLine[] = line => [line],
): Breakage<LoggerHarness> {
  const create = async (): Promise<LoggerHarness> => {
    const recording = recordingLogger()
    return {
      logger: { ...recording, ...breaks(recording) },
      lines: async () => recording.lines.flatMap(read),
      dispose,
    }
  }
  return { what, caughtBy, create }
}

describe('the Logger suite', () => {
  expectBroken(loggerRules, [
    brokenLogger('says everything as info', ['LG1'], logger => ({
      error: (message, fields) => logger.info(message, fields),
    })),
    brokenLogger(
      'loses the error',
      ['LG3'],
      () => ({}),
      line => [{ ...line, fields: { ...line.fields, error: {} } }],
    ),
    brokenLogger(
      'makes a line of each line',
      ['LG4'],
      () => ({}),
      line => line.message.split('\n').map(message => ({ ...line, message })),
    ),
    brokenLogger('throws for what it cannot write', ['LG5'], () => ({
      warn: (_message, fields) =>
        void JSON.stringify(fields?.error instanceof Error ? [fields.error.cause, fields.error.stack] : []),
    })),
    brokenLogger('writes into what it is given', ['LG6'], () => ({
      info: (_message, fields) => void Object.assign(fields ?? {}, { time: 1 }),
    })),
  ])
})
