import { describe, expect, it } from 'vitest'
import type { StompFaultKind } from '../../src/stomp/frame.ts'
import { ScriptedSession } from './scripted-session.ts'

const connected: typeof ScriptedSession.connected = (version, options) =>
  ScriptedSession.connected(version, options)

/** The session ended with one ERROR of this kind, and lets nothing through any more. */
function expectFault(scripted: ScriptedSession, kind: StompFaultKind, receipt?: string): void {
  const answers = scripted.answers()
  expect(
    answers
      .at(-1)
      ?.split(' ')
      .slice(0, receipt === undefined ? 2 : 3),
  ).toEqual(
    receipt === undefined
      ? ['ERROR', `message=${kind}`]
      : ['ERROR', `message=${kind}`, `receipt-id=${receipt}`],
  )
  expect(scripted.closed).toBe(1002)
  expect(scripted.calls.filter(call => call === 'ended')).toHaveLength(1)
  const calls = scripted.calls.length
  scripted.give('SEND\ndestination:/a\nreceipt:x\n\n\0')
  scripted.session.settle()
  scripted.session.end()
  scripted.pass(60_000)
  expect(scripted.calls).toHaveLength(calls)
  expect(scripted.written()).toBe('')
}

describe('connecting', () => {
  it.each([
    ['accept-version:1.2\n', '1.2'],
    ['accept-version:1.0,1.1,2.0\n', '1.1'],
    ['accept-version: 1.1 , 1.0\n', '1.1'],
    ['accept-version:1.0\n', '1.0'],
    ['', '1.0'],
  ])('W21: %j is answered with version %s', (header, version) => {
    const scripted = new ScriptedSession()
    scripted.give(`CONNECT\n${header}host:stomp.github.org\n\n\0`)
    expect(scripted.answers()[0]).toBe(`CONNECTED version=${version} heart-beat=10000,10000`)
    expect(scripted.session.state.phase).toBe('connected')
  })

  it('W20: STOMP is CONNECT', () => {
    const scripted = new ScriptedSession()
    scripted.give('STOMP\naccept-version:1.2\nlogin:me\n\n\0')
    expect(scripted.calls).toEqual(['connect me'])
  })

  it.each(['2.0', '1.3,3', ''])(
    'W21: no version in common with %j is an ERROR with a version header',
    versions => {
      const scripted = new ScriptedSession()
      scripted.give(`CONNECT\naccept-version:${versions}\n\n\0`)
      expect(scripted.answers()).toEqual(['ERROR message=unsupported-version version=1.0,1.1,1.2'])
      expect(scripted.closed).toBe(1002)
    },
  )

  it.each([
    'SEND\ndestination:/a\nreceipt:1\n\n\0',
    'SUBSCRIBE\nid:1\nreceipt:1\n\n\0',
    'HELLO\nreceipt:1\n\n\0',
  ])('W20: %j before CONNECT is a fault', frame => {
    const scripted = new ScriptedSession()
    scripted.give(frame)
    expectFault(scripted, 'wrong-order', '1')
  })

  it('W20: a second CONNECT is a fault', () => {
    const scripted = connected('1.2')
    scripted.give('CONNECT\naccept-version:1.2\n\n\0')
    expectFault(scripted, 'wrong-order')
  })

  it('W20: a connection without CONNECT ends after connectTimeoutMs', () => {
    const scripted = new ScriptedSession()
    scripted.pass(9_000)
    expect(scripted.closed).toBeUndefined()
    scripted.pass(1_000)
    expectFault(scripted, 'connect-timeout')
  })

  it('W20: an authentication without an end ends after connectTimeoutMs', () => {
    const scripted = new ScriptedSession()
    scripted.acceptsAtOnce = false
    scripted.give('CONNECT\n\n\0')
    scripted.pass(10_000)
    expectFault(scripted, 'connect-timeout')
    scripted.session.accept()
    expect(scripted.written()).toBe('')
  })

  it('W22: what is sent while CONNECT is answered is processed after it, in order', () => {
    const scripted = new ScriptedSession()
    scripted.acceptsAtOnce = false
    scripted.give('CONNECT\naccept-version:1.1\n\n\0SEND\ndestination:/a\n\none\0')
    scripted.give('SEND\ndestination:/a\\c\n\ntwo\0')
    expect(scripted.calls).toEqual(['connect'])
    scripted.session.accept()
    expect(scripted.calls).toEqual(['connect', 'send /a one', 'send /a: two'])
  })

  it('W22: before CONNECTED one frame may wait, and no more', () => {
    const held = (bytes: number) => {
      const scripted = new ScriptedSession({ maxFrameBytes: 100 })
      scripted.acceptsAtOnce = false
      scripted.give('CONNECT\n\n\0')
      scripted.give(`SEND\n\n${'x'.repeat(bytes - 7)}\0`)
      return scripted
    }
    expect(held(100).closed).toBeUndefined()
    expectFault(held(101), 'too-many-pending')
  })

  it.each(['1', '1,2,3', 'a,b', '-1,0', '1.5,2'])('W23: heart-beat:%s is a fault', header => {
    const scripted = new ScriptedSession()
    scripted.give(`CONNECT\nheart-beat:${header}\n\n\0`)
    expectFault(scripted, 'invalid-header')
  })
})

describe('heart-beats', () => {
  const beating = (header: string) => {
    const scripted = new ScriptedSession()
    scripted.give(`CONNECT\naccept-version:1.2\n${header}\n\n\0`)
    scripted.answers()
    return scripted
  }

  it('W23: the server sends one at least every max(sx, cy)', () => {
    const scripted = beating('heart-beat:0,15000\n')
    scripted.pass(13_000)
    expect(scripted.written()).toBe('')
    scripted.pass(1_000)
    expect(scripted.written()).toBe('\n')
    scripted.pass(14_000)
    expect(scripted.written()).toBe('\n')
  })

  it('W23: they fill only silence', () => {
    const scripted = beating('heart-beat:0,1\n')
    scripted.pass(8_000)
    scripted.give('BEGIN\ntransaction:1\nreceipt:1\n\n\0')
    scripted.written()
    scripted.pass(8_000)
    expect(scripted.written()).toBe('')
    scripted.pass(1_000)
    expect(scripted.written()).toBe('\n')
  })

  it.each(['', 'heart-beat:0,0\n', 'heart-beat:10000,0\n'])('W23: %j gets none', header => {
    const scripted = beating(header)
    scripted.pass(15_000)
    expect(scripted.written()).toBe('')
  })

  it('W23: silence of twice max(cx, sy) ends the session', () => {
    const scripted = beating('heart-beat:5000,0\n')
    scripted.pass(20_000)
    expect(scripted.closed).toBeUndefined()
    scripted.pass(1_000)
    expectFault(scripted, 'heart-beat-timeout')
  })

  it('W23: any byte counts', () => {
    const scripted = beating('heart-beat:5000,0\n')
    for (let times = 0; times < 10; times++) {
      scripted.pass(20_000)
      scripted.give(times % 2 === 0 ? '\n' : 'S')
      if (times % 2 === 1) break
    }
    scripted.pass(20_000)
    expect(scripted.closed).toBeUndefined()
  })

  it('W23: a client that sends none is not missed', () => {
    const scripted = beating('heart-beat:0,10000\n')
    scripted.pass(600_000)
    expect(scripted.closed).toBeUndefined()
  })

  it('W23: time in which this process stood still is not the peer’s', () => {
    const scripted = beating('heart-beat:5000,0\n')
    scripted.pass(10_000)
    scripted.leap(3_600_000)
    scripted.leap(-7_200_000)
    scripted.pass(9_000)
    expect(scripted.closed).toBeUndefined()
    scripted.pass(20_000)
    expectFault(scripted, 'heart-beat-timeout')
  })
})

describe('frames', () => {
  it.each([
    ['SEND\nreceipt:1\n\n\0', 'missing-header'],
    ['SEND\ndestination:\nreceipt:1\n\n\0', 'missing-header'],
    ['SUBSCRIBE\nid:1\nreceipt:1\n\n\0', 'missing-header'],
    ['SUBSCRIBE\ndestination:/a\nreceipt:1\n\n\0', 'missing-header'],
    ['SUBSCRIBE\nid:1\ndestination:/a\nack:sometimes\nreceipt:1\n\n\0', 'invalid-header'],
    ['UNSUBSCRIBE\ndestination:/a\nreceipt:1\n\n\0', 'missing-header'],
    ['BEGIN\nreceipt:1\n\n\0', 'missing-header'],
    ['COMMIT\nreceipt:1\n\n\0', 'missing-header'],
    ['ABORT\nreceipt:1\n\n\0', 'missing-header'],
    ['ACK\nreceipt:1\n\n\0', 'missing-header'],
    ['NACK\nmessage-id:1\nsubscription:1\nreceipt:1\n\n\0', 'missing-header'],
    ['HELLO\nreceipt:1\n\n\0', 'unknown-command'],
    ['send\ndestination:/a\nreceipt:1\n\n\0', 'unknown-command'],
    ['MESSAGE\nreceipt:1\n\n\0', 'unknown-command'],
    ['UNSUBSCRIBE\nid:9\nreceipt:1\n\n\0', 'unknown-id'],
    ['COMMIT\ntransaction:9\nreceipt:1\n\n\0', 'unknown-id'],
    ['ABORT\ntransaction:9\nreceipt:1\n\n\0', 'unknown-id'],
    ['ACK\nid:1\ntransaction:9\nreceipt:1\n\n\0', 'unknown-id'],
    ['SEND\ndestination:/a\ntransaction:9\nreceipt:1\n\n\0', 'unknown-id'],
    ['SEND\nreceipt:1\ncolon\n\n\0', 'malformed-frame'],
  ] as const)('W24, W25, W26, W27, W32: %j is a fault: %s', (frame, kind) => {
    const scripted = connected('1.2')
    scripted.give(frame)
    expectFault(scripted, kind, '1')
  })

  it('W25: ids are at most maxIdLength characters', () => {
    const given = (length: number) => {
      const scripted = connected('1.2')
      scripted.give(`SUBSCRIBE\nid:${'i'.repeat(length)}\ndestination:/a\n\n\0`)
      scripted.give(`BEGIN\ntransaction:${'t'.repeat(length)}\n\n\0`)
      return scripted
    }
    expect(given(256).closed).toBeUndefined()
    expectFault(given(257), 'invalid-header')
  })

  it.each([
    ['1.0', 'message-id:1\n'],
    ['1.1', 'message-id:1\nsubscription:1\n'],
    ['1.2', 'id:1\n'],
  ] as const)('W25, W28, W29: ACK and NACK of %s', (version, headers) => {
    const scripted = connected(version)
    scripted.give(`ACK\n${headers}receipt:1\n\n\0`)
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=1'])
    scripted.give(`NACK\n${headers}receipt:2\n\n\0`)
    if (version === '1.0') expectFault(scripted, 'unknown-command', '2')
    else expect(scripted.answers()).toEqual(['RECEIPT receipt-id=2'])
  })

  it('W29: a receipt comes back as it was sent, escapes and all', () => {
    const scripted = connected('1.2')
    scripted.give('BEGIN\ntransaction:1\nreceipt:a\\cb\\n\\\\\\r\n\n\0')
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=a:b\n\\\r'])
  })

  it('W29: a SEND’s RECEIPT comes when the handler says so', () => {
    const scripted = connected('1.2')
    scripted.give('SEND\ndestination:/a\nreceipt:1\n\none\0SEND\ndestination:/a\n\ntwo\0')
    expect(scripted.written()).toBe('')
    scripted.complete()
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=1'])
    scripted.complete()
    expect(scripted.written()).toBe('')
  })

  it('a frame that is admitted later holds back the ones behind it', () => {
    const scripted = connected('1.2')
    scripted.admission = 'later'
    scripted.give('SEND\ndestination:/a\n\none\0SEND\ndestination:/a\n\ntwo\0SEND\ndestination:/a\n\nthree\0')
    expect(scripted.calls).toEqual(['admit SEND'])
    scripted.session.proceed(true)
    expect(scripted.calls).toEqual(['admit SEND', 'send /a one', 'admit SEND'])
    scripted.admission = 'process'
    scripted.session.proceed(false)
    expect(scripted.calls.slice(3)).toEqual(['send /a three'])
  })

  it('W31: behind maxPendingRequests the frames wait, up to maxHeldBytes', () => {
    const scripted = connected('1.2', { maxPendingRequests: 2, maxHeldBytes: 60 })
    const send = 'SEND\ndestination:/a\n\nx\0'
    scripted.give(send.repeat(4))
    expect(scripted.calls).toHaveLength(2)
    scripted.complete()
    expect(scripted.calls).toHaveLength(3)
    scripted.give(send)
    expect(scripted.closed).toBeUndefined()
    scripted.give(send)
    expectFault(scripted, 'too-many-pending')
  })
})

describe('subscriptions', () => {
  it.each(['auto', 'client', 'client-individual'])('W25: ack:%s is known', ack => {
    const scripted = connected('1.2')
    scripted.give(`SUBSCRIBE\nid:1\ndestination:/a\nack:${ack}\nreceipt:r\n\n\0`)
    expect(scripted.calls).toEqual([`subscribe 1 /a ${ack}`])
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=r'])
  })

  it('W26: an id is used once at a time', () => {
    const scripted = connected('1.2')
    scripted.give(
      'SUBSCRIBE\nid:1\ndestination:/a\n\n\0UNSUBSCRIBE\nid:1\n\n\0SUBSCRIBE\nid:1\ndestination:/b\n\n\0',
    )
    expect(scripted.closed).toBeUndefined()
    scripted.give('SUBSCRIBE\nid:1\ndestination:/c\nreceipt:1\n\n\0')
    expectFault(scripted, 'duplicate-id', '1')
  })

  it('W26: a refused subscription leaves its id free', () => {
    const scripted = connected('1.2')
    scripted.give('SUBSCRIBE\nid:1\ndestination:/refused\n\n\0SUBSCRIBE\nid:1\ndestination:/b\n\n\0')
    expect(scripted.session.subscriptionCount).toBe(1)
  })

  it('W26: lenientSubscriptions does as Spring does', () => {
    const scripted = connected('1.2', { lenientSubscriptions: true })
    scripted.give('SUBSCRIBE\nid:1\ndestination:/a\n\n\0SUBSCRIBE\nid:1\ndestination:/b\nreceipt:1\n\n\0')
    scripted.give('UNSUBSCRIBE\nid:9\nreceipt:2\n\n\0')
    expect(scripted.calls).toEqual(['subscribe 1 /a auto', 'unsubscribe 1 /a', 'subscribe 1 /b auto'])
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=1', 'RECEIPT receipt-id=2'])
    expect(scripted.session.subscriptionCount).toBe(1)
  })

  it('W25: 1.0 may leave the id out, and unsubscribe by destination', () => {
    const scripted = connected('1.0')
    scripted.give('SUBSCRIBE\ndestination: /a\n\n\0SUBSCRIBE\nid:1\ndestination:/b\n\n\0')
    scripted.give('UNSUBSCRIBE\ndestination:/a\n\n\0UNSUBSCRIBE\ndestination:/b\n\n\0')
    expect(scripted.calls.slice(2)).toEqual(['unsubscribe - /a', 'unsubscribe 1 /b'])
    scripted.give('UNSUBSCRIBE\ndestination:/b\n\n\0')
    expectFault(scripted, 'unknown-id')
  })
})

describe('transactions', () => {
  const send = (transaction: string, body: string, receipt?: string) =>
    `SEND\ndestination:/a\ntransaction:${transaction}\n${receipt === undefined ? '' : `receipt:${receipt}\n`}\n${body}\0`

  it('W27, W29: SENDs are held, handed over in order at COMMIT, and answered after it', () => {
    const scripted = connected('1.2')
    scripted.give('BEGIN\ntransaction:t\nreceipt:b\n\n\0')
    scripted.give(send('t', 'one', '1'))
    scripted.give(send('t', 'two'))
    scripted.give('ACK\nid:1\ntransaction:t\nreceipt:a\n\n\0')
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=b', 'RECEIPT receipt-id=a'])
    scripted.give('COMMIT\ntransaction:t\nreceipt:c\n\n\0')
    expect(scripted.calls).toEqual(['commit one,two'])
    for (let times = 0; times < 3; times++) scripted.complete()
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=1', 'RECEIPT receipt-id=c'])
  })

  it('W27, W29: ABORT drops them; only it is answered', () => {
    const scripted = connected('1.2')
    scripted.give(`BEGIN\ntransaction:t\n\n\0${send('t', 'one', '1')}ABORT\ntransaction:t\nreceipt:a\n\n\0`)
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=a'])
    expect(scripted.calls).toEqual([])
    scripted.give('COMMIT\ntransaction:t\n\n\0')
    expectFault(scripted, 'unknown-id')
  })

  it('W27: DISCONNECT and the end drop them', () => {
    const scripted = connected('1.2')
    scripted.give(`BEGIN\ntransaction:t\n\n\0${send('t', 'one', '1')}DISCONNECT\nreceipt:d\n\n\0`)
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=d'])
    expect(scripted.calls).toEqual(['ended'])
  })

  it('W27: transactions may be open side by side', () => {
    const scripted = connected('1.2')
    scripted.give('BEGIN\ntransaction:t\n\n\0BEGIN\ntransaction:u\n\n\0')
    scripted.give(`${send('t', '1')}${send('u', '2')}${send('t', '3')}`)
    scripted.give('COMMIT\ntransaction:u\n\n\0COMMIT\ntransaction:t\n\n\0')
    expect(scripted.calls).toEqual(['commit 2', 'commit 1,3'])
  })

  it('W27: BEGIN of a used id is a fault', () => {
    const scripted = connected('1.2')
    scripted.give('BEGIN\ntransaction:t\n\n\0BEGIN\ntransaction:t\nreceipt:1\n\n\0')
    expectFault(scripted, 'duplicate-id', '1')
  })

  it('W27: maxTransactions', () => {
    const begun = (count: number) => {
      const scripted = connected('1.2', { maxTransactions: 3 })
      for (let id = 0; id < count; id++) scripted.give(`BEGIN\ntransaction:${id}\n\n\0`)
      return scripted
    }
    expect(begun(3).closed).toBeUndefined()
    expectFault(begun(4), 'too-many-pending')
  })

  it('W27: maxTransactionSends', () => {
    const held = (count: number) => {
      const scripted = connected('1.2', { maxTransactionSends: 3 })
      scripted.give('BEGIN\ntransaction:t\n\n\0')
      for (let index = 0; index < count; index++) scripted.give(send('t', 'x'))
      return scripted
    }
    expect(held(3).closed).toBeUndefined()
    expectFault(held(4), 'too-many-pending')
  })

  it('W27: maxTransactionBytes counts what the session holds, and frees it', () => {
    const scripted = connected('1.2', { maxTransactionBytes: 2_000 })
    for (let times = 0; times < 5; times++) {
      scripted.give(`BEGIN\ntransaction:t\n\n\0${send('t', 'x'.repeat(1_500))}ABORT\ntransaction:t\n\n\0`)
    }
    expect(scripted.closed).toBeUndefined()
    scripted.give(`BEGIN\ntransaction:t\n\n\0BEGIN\ntransaction:u\n\n\0${send('t', 'x'.repeat(1_000))}`)
    scripted.give(send('u', 'x'.repeat(1_000)))
    expectFault(scripted, 'too-many-pending')
  })
})

describe('the end', () => {
  it('W30: DISCONNECT’s RECEIPT comes after the answers before it, then the close', () => {
    const scripted = connected('1.2')
    scripted.give('SEND\ndestination:/a\nreceipt:1\n\none\0SEND\ndestination:/a\n\ntwo\0')
    scripted.give('DISCONNECT\nreceipt:d\n\n\0SEND\ndestination:/a\n\nignored\0')
    scripted.give('SEND\ndestination:/a\n\nignored\0')
    scripted.complete()
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=1'])
    expect(scripted.closed).toBeUndefined()
    scripted.complete()
    expect(scripted.answers()).toEqual(['RECEIPT receipt-id=d'])
    expect(scripted.closed).toBe(1000)
    expect(scripted.calls).toEqual(['send /a one', 'send /a two', 'ended'])
  })

  it('W30: DISCONNECT without a receipt closes', () => {
    const scripted = connected('1.2')
    scripted.give('DISCONNECT\n\n\0')
    expect(scripted.written()).toBe('')
    expect(scripted.closed).toBe(1000)
  })

  it('W32: answers that come after the end are not written', () => {
    const scripted = connected('1.2')
    scripted.give('SEND\ndestination:/a\nreceipt:1\n\none\0')
    scripted.session.end()
    scripted.complete()
    expect(scripted.written()).toBe('')
    expect(scripted.calls.at(-1)).toBe('ended')
  })
})
