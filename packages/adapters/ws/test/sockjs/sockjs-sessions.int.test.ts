import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, stream } from '../raw-http.ts'
import { RawSocket } from '../raw-socket.ts'
import { echo, type Served, served } from '../served.ts'

let server: Served
beforeEach(async () => {
  server = await served({ onMessage: echo, maxStreamBytes: 4096 })
})
afterEach(async () => {
  expect(server.errors).toEqual([])
  await server[Symbol.asyncDispose]()
})

const session = '/echo/000/s'
const post = (path: string, body = '', headers = {}) => call(server.port, 'POST', path, { body, headers })
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

describe('polling', () => {
  it('T2.3: opens, echoes, and does not care for the server part', async () => {
    const opened = await post(`${session}/xhr`)
    expect(opened).toMatchObject({ status: 200, body: 'o\n' })
    expect(opened.headers['content-type']).toBe('application/javascript; charset=UTF-8')
    expect(await post(`${session}/xhr_send`, '["a"]')).toMatchObject({ status: 204, body: '' })
    expect((await post('/echo/999/s/xhr')).body).toBe('a["a"]\n')
    expect((await server.peer()).connection.transport).toBe('xhr')
  })

  it('T2.3: what waits comes in one frame, in order', async () => {
    await post(`${session}/xhr`)
    for (const text of ['1', '2', '3']) await post(`${session}/xhr_send`, `["${text}","\\u2028"]`)
    expect((await post(`${session}/xhr`)).body).toBe('a["1","\\u2028","2","\\u2028","3","\\u2028"]\n')
  })

  it('T2.3: a poll that waits is answered by the next message', async () => {
    await post(`${session}/xhr`)
    const poll = post(`${session}/xhr`)
    const peer = await server.peer()
    peer.send('later')
    expect((await poll).body).toBe('a["later"]\n')
  })

  it.each(['text/plain', 'T', 'application/json', 'application/xml', '', 'text/xml; charset=utf-8'])(
    'T2.4: xhr_send takes the content type %j',
    async type => {
      await post(`${session}/xhr`)
      const sent = await post(`${session}/xhr_send`, '["a"]', { 'Content-Type': type })
      expect(sent.status).toBe(204)
      expect(sent.headers['content-type']).toBe('text/plain; charset=UTF-8')
      expect((await server.peer()).messages).toEqual(['a'])
    },
  )

  it('T2.4: bad payloads are told, and the session goes on', async () => {
    await post(`${session}/xhr`)
    expect(await post(`${session}/xhr_send`, '["x')).toMatchObject({
      status: 500,
      body: 'Broken JSON encoding.\n',
    })
    expect(await post(`${session}/xhr_send`, '')).toMatchObject({ status: 500, body: 'Payload expected.\n' })
    expect(await post(`${session}/xhr_send`, '[1]')).toMatchObject({
      status: 500,
      body: 'Broken JSON encoding.\n',
    })
    const broken = await call(server.port, 'POST', `${session}/xhr_send`, {
      body: Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]),
    })
    expect(broken).toMatchObject({ status: 500, body: 'Broken JSON encoding.\n' })
    expect((await post(`${session}/xhr_send`, '["a"]')).status).toBe(204)
    expect((await server.peer()).messages).toEqual(['a'])
  })

  it('T2.4: nobody sends into a session that is not there', async () => {
    expect((await post('/echo/0/nobody/xhr_send', '["a"]')).status).toBe(404)
    expect((await post('/echo/0/nobody/jsonp_send', 'd=%5B%5D', form)).status).toBe(404)
    expect(server.peers).toHaveLength(0)
  })

  it('T2.5: a second receiver is told so, and the first does not notice', async () => {
    await post(`${session}/xhr`)
    const handled = server.nextRequest()
    const first = post(`${session}/xhr`)
    await handled
    expect((await post(`${session}/xhr`)).body).toBe('c[2010,"Another connection still open"]\n')
    ;(await server.peer()).send('for the first')
    expect((await first).body).toBe('a["for the first"]\n')
  })

  it('T2.6: JSONP calls the function it is told, and takes forms and plain bodies', async () => {
    const opened = await call(server.port, 'GET', `${session}/jsonp?c=%63allback`)
    expect(opened).toMatchObject({ status: 200, body: '/**/callback("o");\r\n' })
    expect(opened.headers['x-content-type-options']).toBe('nosniff')
    const sent = await post(`${session}/jsonp_send`, 'd=%5B%22%E2%82%AC%22%5D', form)
    expect(sent).toMatchObject({ status: 200, body: 'ok' })
    await post(`${session}/jsonp_send`, '["%61"]', { 'Content-Type': 'text/plain' })
    expect((await call(server.port, 'GET', `${session}/jsonp?callback=x`)).body).toBe(
      '/**/x("a[\\"\u20ac\\",\\"%61\\"]");\r\n',
    )
    for (const body of ['', 'd=', 'p=p']) {
      expect(await post(`${session}/jsonp_send`, body, form)).toMatchObject({
        status: 500,
        body: 'Payload expected.\n',
      })
    }
  })

  it.each([
    ['a=1&d=%5B%22x+y%22%5D&d=z', 200, 'ok'],
    ['d=%5B%22%FF%22%5D', 500, 'Broken JSON encoding.\n'],
    ['d=%', 500, 'Broken JSON encoding.\n'],
    [`${'&'.repeat(100_000)}d`, 500, 'Payload expected.\n'],
  ])('T2.6: the form %j is answered %i', async (body, status, text) => {
    await post(`${session}/xhr`)
    expect(await post(`${session}/jsonp_send`, body, form)).toMatchObject({ status, body: text })
    expect((await server.peer()).messages).toEqual(status === 200 ? ['x y'] : [])
  })

  it('T5.1: a body in very many pieces is put together as one in few', async () => {
    await post(`${session}/xhr`)
    const text = 'x'.repeat(5_000)
    const raw = await RawSocket.open(server.port)
    raw.socket.write(`POST ${session}/xhr_send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    for (const character of `["${text}"]`) raw.socket.write(`1\r\n${character}\r\n`)
    raw.socket.write('0\r\n\r\n')
    expect(await raw.upTo('\r\n\r\n')).toMatch(/^HTTP\/1.1 204 /)
    expect((await server.peer()).messages).toEqual([text])
    raw.socket.destroy()
  })

  it.each([
    ['', '"callback" parameter required'],
    ['?c=', '"callback" parameter required'],
    ['?c=alert(1)', 'invalid "callback" parameter'],
    [`?c=${'x'.repeat(65)}`, 'invalid "callback" parameter'],
  ])('T2.6: jsonp%s and htmlfile%s are refused', async (query, fault) => {
    for (const transport of ['jsonp', 'htmlfile']) {
      const answer = await call(server.port, 'GET', `${session}/${transport}${query}`)
      expect(answer).toMatchObject({ status: 500, body: `${fault}\n` })
    }
  })
})

describe('streams', () => {
  it.each([
    [
      'xhr_streaming',
      'POST',
      `${'h'.repeat(2048)}\n`,
      'o\n',
      'a["x"]\n',
      'application/javascript; charset=UTF-8',
    ],
    ['eventsource', 'GET', '\r\n', 'data: o\r\n\r\n', 'data: a["x"]\r\n\r\n', 'text/event-stream'],
    [
      'htmlfile?c=cb',
      'GET',
      'c.stop();};\n  </script>\n',
      '<script>\np("o");\n</script>\r\n',
      '<script>\np("a[\\"x\\"]");\n</script>\r\n',
      'text/html; charset=UTF-8',
    ],
  ])(
    'T2.7: %s begins, opens, carries and ends at its limit',
    async (transport, method, prelude, open, message, type) => {
      const streaming = await stream(server.port, method, `${session}/${transport}`)
      expect(streaming.headers['content-type']).toBe(type)
      expect(streaming.headers['cache-control']).toBe(
        'no-store, no-cache, no-transform, must-revalidate, max-age=0',
      )
      expect(await streaming.upTo(prelude)).toContain(prelude)
      expect((await streaming.upTo(open)).trimStart()).toBe(open)
      const peer = await server.peer()
      peer.send('x')
      expect(await streaming.upTo(message)).toBe(message)
      peer.send('y'.repeat(4096))
      expect(await streaming.rest()).toContain('y'.repeat(4096))
      expect(peer.end).toBeUndefined()
    },
  )

  it('T2.7: what is sent between two streams waits for the second', async () => {
    const first = await stream(server.port, 'POST', `${session}/xhr_streaming`)
    const peer = await server.peer()
    peer.send('y'.repeat(4096))
    await first.rest()
    peer.send('between')
    const second = await stream(server.port, 'POST', `${session}/xhr_streaming`)
    await second.upTo('h\n')
    expect(await second.upTo('\n')).toBe('a["between"]\n')
  })

  it('T2.6: a message cannot leave the script it travels in', async () => {
    const streaming = await stream(server.port, 'GET', `${session}/htmlfile?c=cb`)
    await streaming.upTo('p("o");\n</script>\r\n')
    ;(await server.peer()).send('</script><script>alert(1)//<!--')
    const frame = await streaming.upTo('</script>\r\n')
    expect(frame.indexOf('</script>')).toBe(frame.length - '</script>\r\n'.length)
    expect(frame).not.toContain('<!--')
  })
})

describe('the end of a session', () => {
  const disconnectMs = 5_000

  it('T2.8: a close is told to every request until the session is forgotten', async () => {
    await post(`${session}/xhr`)
    const peer = await server.peer()
    peer.send('before')
    peer.connection.close(3000, 'Go away!')
    expect((await post(`${session}/xhr`)).body).toBe('a["before"]\n')
    for (let turn = 0; turn < 2; turn += 1)
      expect((await post(`${session}/xhr`)).body).toBe('c[3000,"Go away!"]\n')
    expect(await peer.ended()).toEqual({ code: 3000, reason: 'Go away!', clean: true })
    expect((await post(`${session}/xhr_send`, '["a"]')).status).toBe(404)
    server.ticks.advance(disconnectMs)
    expect((await post(`${session}/xhr`)).body).toBe('o\n')
    expect(server.peers).toHaveLength(2)
  })

  it('T2.8: a stream gets what is queued, the close frame, and its end', async () => {
    const streaming = await stream(server.port, 'POST', `${session}/xhr_streaming`)
    const peer = await server.peer()
    peer.send('last words')
    peer.connection.close(3000, 'Go away!')
    peer.send('too late')
    expect(await streaming.rest()).toBe(`${'h'.repeat(2048)}\no\na["last words"]\nc[3000,"Go away!"]\n`)
    expect(await peer.ended()).toMatchObject({ code: 3000, clean: true })
  })

  it.each(['xhr', 'xhr_streaming'])(
    'T2.9: a %s that breaks off ends the session as interrupted',
    async transport => {
      await post(`${session}/xhr`)
      const peer = await server.peer()
      if (transport === 'xhr') {
        const poll = new AbortController()
        const handled = server.nextRequest()
        const aborted = fetch(`http://127.0.0.1:${server.port}${session}/xhr`, {
          method: 'POST',
          signal: poll.signal,
        })
        aborted.catch(() => {})
        await handled
        poll.abort()
      } else {
        ;(await stream(server.port, 'POST', `${session}/xhr_streaming`)).abort()
      }
      expect(await peer.ended()).toEqual({ code: 1002, reason: 'Connection interrupted', clean: false })
      expect((await post(`${session}/xhr`)).body).toBe('c[1002,"Connection interrupted"]\n')
      server.ticks.advance(disconnectMs)
      expect(server.ticks.isIdle).toBe(true)
    },
  )

  it('T2.10: a session that nobody receives for 5 s is over, and not before', async () => {
    await post(`${session}/xhr`)
    const peer = await server.peer()
    server.ticks.advance(disconnectMs - 1)
    expect(peer.end).toBeUndefined()
    server.ticks.advance(1_001)
    expect(await peer.ended()).toEqual({ code: 1006, reason: '', clean: false })
    expect(server.service.connectionCount).toBe(0)
    expect(server.ticks.isIdle).toBe(true)
  })

  it('T2.10: a close that nobody fetched ends with its code, unclean', async () => {
    await post(`${session}/xhr`)
    const peer = await server.peer()
    peer.connection.close(4001, 'token')
    server.ticks.advance(disconnectMs)
    expect(await peer.ended()).toEqual({ code: 4001, reason: 'token', clean: false })
  })
})

describe('heart-beats', () => {
  it('T2.11: a poll that waits 25 s is answered with a heart-beat', async () => {
    await post(`${session}/xhr`)
    const handled = server.nextRequest()
    const poll = post(`${session}/xhr`)
    await handled
    server.ticks.advance(26_000)
    expect((await poll).body).toBe('h\n')
  })

  it('T2.11: a silent stream beats every 25 s and ends after 2 min, the session living on', async () => {
    const streaming = await stream(server.port, 'POST', `${session}/xhr_streaming`)
    await streaming.upTo('o\n')
    server.ticks.advance(120_000)
    expect(await streaming.rest()).toBe('h\n'.repeat(4))
    expect((await server.peer()).end).toBeUndefined()
  })
})
