import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  readonly key: string
  readonly certificate: string
}

/** Signed by itself, for localhost: its own authority. */
export async function selfSigned(name: string): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'sgs-chat-tls-'))
  const [keyPath, certPath] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyPath]
  await promisify(execFile)('openssl', ['req', '-x509', '-days', '1', ...key, '-out', certPath, ...subject])
  const [keyText, certificate] = await Promise.all([readFile(keyPath, 'utf8'), readFile(certPath, 'utf8')])
  await rm(folder, { recursive: true })
  return { key: keyText, certificate }
}
