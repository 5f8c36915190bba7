import { describe, expect, it } from 'vitest'
import { encodeFrame, MessageTemplate, subscriptionLines } from '../../src/stomp/encoder.ts'
import { bodyText } from '../../src/stomp/parser.ts'
import { parseAll } from './parsing.ts'

describe('encodeFrame', () => {
  it('W12: every body comes with its content-length in bytes', () => {
    expect(encodeFrame('1.2', 'ERROR', [['message', 'm']], '한\0')).toBe(
      'ERROR\nmessage:m\ncontent-length:4\n\n한\0\0',
    )
    expect(encodeFrame('1.2', 'RECEIPT', [['receipt-id', '1']])).toBe('RECEIPT\nreceipt-id:1\n\n\0')
  })

  it('W12: headers are escaped by version', () => {
    const headers = [['a:b', 'x\\y\nz:\r']] as const
    expect(encodeFrame('1.2', 'ERROR', headers)).toBe('ERROR\na\\cb:x\\\\y\\nz\\c\\r\n\n\0')
    expect(encodeFrame('1.1', 'ERROR', headers)).toBe('ERROR\na\\cb:x\\\\y\\nz\\c\r\n\n\0')
    expect(encodeFrame('1.0', 'ERROR', headers)).toBe('ERROR\na b:x\\y z: \n\n\0')
  })

  it('W6: CONNECTED is not escaped', () => {
    expect(encodeFrame('1.2', 'CONNECTED', [['user-name', 'a:b\\c\nx\0']])).toBe(
      'CONNECTED\nuser-name:a:b\\c x \n\n\0',
    )
  })

  it.each(['1.0', '1.1', '1.2'] as const)('W12: a header cannot break out of its frame (%s)', version => {
    const evil = 'x\n\n\0SEND\ndestination:/queue/send\n\nevil\0'
    const { frames, fault } = parseAll(encodeFrame(version, 'RECEIPT', [['receipt-id', evil]]), version)
    expect(fault).toBeUndefined()
    expect(frames.map(frame => frame.command)).toEqual(['RECEIPT'])
  })
})

describe('MessageTemplate', () => {
  const template = new MessageTemplate({
    destination: '/topic/7',
    messageId: 'm:1',
    contentType: 'application/json;charset=UTF-8',
    headers: [['position', '1:5']],
    body: '{"content":"글"}',
  })

  it.each(['1.0', '1.1', '1.2'] as const)('W13: a message reads back as it was made (%s)', version => {
    const text = template.frameWithAck(version, subscriptionLines(version, 'sub:1'), 'sub:1/m:1')
    const { frames, fault } = parseAll(text, version)
    expect(fault).toBeUndefined()
    const frame = frames[0]
    expect(frame?.command).toBe('MESSAGE')
    expect(Object.fromEntries(frame?.headers ?? [])).toEqual({
      subscription: 'sub:1',
      ack: 'sub:1/m:1',
      destination: '/topic/7',
      'content-type': 'application/json;charset=UTF-8',
      'message-id': 'm:1',
      position: '1:5',
      'content-length': '17',
    })
    expect(bodyText(frame?.body ?? new Uint8Array())).toBe('{"content":"글"}')
  })

  it('W13: a 1.0 subscription without an id gets no subscription header', () => {
    const { frames } = parseAll(template.frame('1.0', subscriptionLines('1.0', undefined)), '1.0')
    expect(frames[0]?.headers.has('subscription')).toBe(false)
  })
})
