import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { useService } from '../../../../tools/services/use-service.ts'
import { StateServer } from './state-server.ts'

const python = await useService('python-grpc')

describe.skipIf(python === undefined)('a client in Python', () => {
  it('L4: speaks both services, from the protos alone', async () => {
    await using server = await StateServer.start()
    const script = join(import.meta.dirname, 'python_client.py')
    const protos = join(import.meta.dirname, '../proto')
    const { stdout } = await promisify(execFile)(python?.address ?? '', [script, protos, String(server.port)])
    expect(JSON.parse(stdout)).toEqual({
      subscribed: '앨리스',
      users: { bob: 2, 앨리스: 1 },
      watching: 7,
      left: '앨리스',
      unknown: '',
      refused: ['INVALID_ARGUMENT', 'INVALID_MESSAGE_FORMAT'],
    })
  })
})
