import { expect, it } from 'vitest'
import { ChatClient } from './chat-client.ts'
import { postChat } from './http-calls.ts'
import { testServers, tokenFor } from './server-process.ts'

const { cleanups, start } = testServers()

const SIX_FIELDS = ['_id', 'content', 'createdAt', 'messageType', 'roomId', 'senderId']

/** The life of the front end, as section 1 of the wire contract has it, with the headers that it sends. */
it.each(['websocket', 'xhr-streaming', 'xhr-polling'])(
  'serves the front end of today under CHAT_COMPAT=sgs, over %s',
  async transport => {
    const server = await start({ CHAT_COMPAT: 'sgs', CHAT_TIME_ZONE: 'Asia/Seoul' })
    const { url } = server
    const Authorization = `Bearer ${tokenFor('alice')}`
    const origin = 'https://front.example'

    const info = await fetch(`${url}/chat/connect/info?t=1`, { headers: { origin } })
    expect(info.headers.get('access-control-allow-origin')).toBe(origin)
    expect(info.headers.get('access-control-allow-credentials')).toBe('true')
    const preflight = await fetch(`${url}/chat/send`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(preflight.ok).toBe(true)
    expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization')

    const client = await ChatClient.connect(url, tokenFor('alice'), transport)
    cleanups.push(() => client.close())
    const lobby = await client.subscribe('/topic/0', { id: 'sub-0', Authorization })
    client.stomp.unsubscribe('sub-0', { Authorization })
    const room = await client.subscribe('/topic/7', { id: 'sub-7', Authorization })

    const before = Date.now()
    const posted = await postChat(url, tokenFor('alice'), {
      messageType: 'TEXT',
      roomId: '7',
      content: '안녕',
    })
    expect(posted.status).toBe(201)
    expect(posted.body).toMatchObject({ result: 'SUCCESS', message: 'send chat successfully' })
    expect(Object.keys(posted.body.data).sort()).toEqual(SIX_FIELDS)
    expect(posted.body.data.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/)

    const [message] = await room.take(1)
    expect(message?.headers).toMatchObject({ destination: '/topic/7', subscription: 'sub-7' })
    const pushed = JSON.parse(message?.body ?? '') as { createdAt: number[] }
    expect(Object.keys(pushed).sort()).toEqual(SIX_FIELDS)
    expect(pushed).toMatchObject({ _id: posted.body.data._id, roomId: 7, senderId: 'alice', content: '안녕' })
    expect(pushed.createdAt).toHaveLength(7)
    // The page reads hour and minute of the array as the server's local time.
    const [, , , hour, minute] = pushed.createdAt
    const seoul = new Date(before + 9 * 3_600_000)
    expect(
      Math.abs(Number(hour) * 60 + Number(minute) - (seoul.getUTCHours() * 60 + seoul.getUTCMinutes())) %
        1_439,
    ).toBeLessThan(2)

    client.stomp.unsubscribe('sub-7', { Authorization })
    const again = await client.subscribe('/topic/0', { id: 'sub-0', Authorization })
    await client.close()
    await client.ended
    expect([lobby, again].flatMap(({ received }) => received)).toEqual([])
  },
)
