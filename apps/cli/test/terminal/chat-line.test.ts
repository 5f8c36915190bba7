import { expect, it } from 'vitest'
import { chatLine } from '../../src/terminal/chat-line.ts'

const CHAT = { senderId: 'alice', messageType: 'TEXT', content: 'hello' }

it('a chat of today has its time, one of another day its day as well, in the wire forms of both profiles', () => {
  const now = new Date(2024, 2, 1, 12)
  const lineAt = (createdAt: unknown): string => chatLine({ ...CHAT, createdAt }, now)
  expect(lineAt(new Date(2024, 2, 1, 9, 5, 7).toISOString())).toBe('09:05:07 alice: hello')
  expect(lineAt([2024, 3, 1, 9, 5, 7, 120_000_000])).toBe('09:05:07 alice: hello')
  expect(lineAt([2024, 2, 29, 23, 0])).toBe('2024-02-29 23:00:00 alice: hello')
  expect(lineAt(new Date(2024, 1, 29, 23).toISOString())).toBe('2024-02-29 23:00:00 alice: hello')
  expect(lineAt(null)).toBe('--:--:-- alice: hello')
})

it('nothing that somebody wrote moves the cursor, colours the terminal or turns the line round', () => {
  const line = chatLine({
    senderId: 'a\u0007',
    messageType: 'X\u001b[1m',
    content: 'one\ntwo \u202e',
    createdAt: '',
  })
  expect(line).toBe('--:--:-- a� [X�[1m]: one ⏎ two �')
})
