import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { promisify } from 'node:util'
import { ChatError } from '@sgs-chat/core'
import type { BrokerAddress } from '@sgs-chat/kafka'
import { describe, it } from 'vitest'
import { KafkaFixture, service } from './kafka-fixture.ts'
import { sampleChat } from './sample-chat.ts'

interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Signed by itself, for `localhost`. */
async function certificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'sgs-chat-tls-'))
  const [keyPath, certPath] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyPath]
  await promisify(execFile)('openssl', ['req', '-x509', '-days', '1', ...key, '-out', certPath, ...subject])
  const [keyText, cert] = await Promise.all([readFile(keyPath, 'utf8'), readFile(certPath, 'utf8')])
  await rm(folder, { recursive: true })
  return { key: keyText, cert }
}

/** Speaks TLS in front of a broker that does not. */
async function tlsFront(brokers: string, own: Certificate): Promise<Server> {
  const [host = '', port] = brokers.split(':')
  const server = createServer(own, near => {
    const far = connect(Number(port), host)
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy()).on('close', () => far.destroySoon())
    far.on('error', () => near.destroy()).on('close', () => near.destroySoon())
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

describe.skipIf(service === undefined)('TLS', () => {
  it('opens the log over it, and a certificate that is not trusted is refused, retryable', async () => {
    await using fixture = new KafkaFixture()
    const own = await certificate()
    const server = await tlsFront(fixture.brokers, own)
    const { port } = server.address() as AddressInfo
    const route = (): BrokerAddress => ({ host: '127.0.0.1', port })
    const brokers = [`localhost:${port}`]
    const ssl = { ca: own.cert, servername: 'localhost' }
    const log = await fixture.open({ brokers, ssl, route })
    assert.equal((await log.append([sampleChat()])).length, 1)
    const error = await fixture.open({ brokers, ssl: true, route }).catch((reason: unknown) => reason)
    assert.ok(ChatError.is(error), String(error))
    assert.equal(error.code, 'KAFKA_CONNECTION_FAILED')
    assert.match(error.description, /KAFKA_BROKERS.*KAFKA_SSL/)
    await log.close()
    server.close()
  })
})
