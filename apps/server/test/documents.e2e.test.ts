import { readFileSync } from 'node:fs'
import asyncApiSchema from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' }
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Ajv } from 'ajv'
import { describe, expect, it, onTestFinished } from 'vitest'
import { documents } from '../src/documents/documents.ts'
import { ChatClient } from './e2e/chat-client.ts'
import { dataFolder, ServerProcess, tokenFor } from './e2e/server-process.ts'

const committed = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

/** Every failure of every route is described once, as its default answer. */
const DIFFERENT = { 'operation-4xx-response': 'off' } as const

interface AsyncApi {
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}
const asyncApi = (): AsyncApi => JSON.parse(committed('asyncapi.json')) as AsyncApi

describe('documents', () => {
  it('C5: the generated pages of docs/ are what the program says (pnpm documents)', async () => {
    for (const [name, text] of Object.entries(await documents())) expect(committed(name), name).toBe(text)
  })

  it('C5: the AsyncAPI document is valid AsyncAPI 3', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false })
    const validate = ajv.compile(asyncApiSchema)
    validate(asyncApi())
    expect(validate.errors ?? []).toEqual([])
  })

  it('C5: what STOMP clients really get fits its schemas', async () => {
    const ajv = new Ajv({ strict: false })
    ajv.addSchema({ $id: 'api', ...asyncApi() })
    const fits = (schema: string, body: string): void => {
      const validate = ajv.getSchema(`api#/components/schemas/${schema}`)
      expect(validate?.(JSON.parse(body)), `${schema}: ${JSON.stringify(validate?.errors)}`).toBe(true)
    }
    const folder = dataFolder()
    onTestFinished(folder.remove)
    const server = await ServerProcess.start(folder.path)
    onTestFinished(async () => void (await server.stop('SIGTERM')))
    const client = await ChatClient.connect(server.url, tokenFor('alice'))
    const [room, results, errors] = await Promise.all(
      ['/topic/7', '/topic/group', '/user/queue/errors'].map(destination => client.subscribe(destination)),
    )
    const draft = { roomId: '7', messageType: 'TEXT', content: '안녕', clientMessageId: 'one' }
    fits('ChatDraft', JSON.stringify(draft))
    await client.send(draft)
    client.stomp.publish({ destination: '/queue/send', body: '{}', headers: { receipt: 'refused' } })
    fits('Chat', (await room?.take(1))?.[0]?.body ?? '')
    fits('Chat', (await results?.take(1))?.[0]?.body ?? '')
    fits('FailedResponse', (await errors?.take(1))?.[0]?.body ?? '')
    await client.close()
  })

  it('R7: the OpenAPI document passes the linter', async () => {
    const config = await createConfig({ extends: ['recommended'], rules: DIFFERENT })
    const problems = await lintFromString({ source: committed('openapi.json'), config })
    expect(
      problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`),
    ).toEqual([])
  })
})
