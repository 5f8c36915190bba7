import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { apiSchemas } from './api-schemas.ts'

/** The page loads its own script and style and nothing from elsewhere. */
const PAGE_CSP = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join('; ')

const FORM_CONTENT = {
  'multipart/form-data': { schema: { $ref: '#/components/schemas/FileDraftInput' } },
}

/** OpenAPI 3.1 of the routes that are added from now on, at `/api-docs/json`, and a page over it at `/chat-ui.html`. */
export async function apiDocuments(app: FastifyInstance): Promise<void> {
  const transformObject = createJsonSchemaTransformObject({ schemaRegistry: apiSchemas })
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'SGS chat',
        version: '1.0.0',
        license: { name: 'MIT', identifier: 'MIT' },
        description:
          'Chats of rooms over HTTP. Live chats come by STOMP over SockJS or WebSocket at /chat/connect.',
      },
      servers: [{ url: '/' }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    transform: createJsonSchemaTransform({ schemaRegistry: apiSchemas }),
    transformObject: document => tidied(withForm(transformObject(document) as ApiDocument)) as ApiDocument,
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: '/chat-ui.html',
    staticCSP: PAGE_CSP,
    theme: { title: 'SGS chat: API' },
    uiConfig: { docExpansion: 'list', deepLinking: true },
  })
  app.get('/api-docs/json', { schema: { hide: true } }, async () => app.swagger())
}

type ApiDocument = ReturnType<ReturnType<typeof createJsonSchemaTransformObject>>

/** A route has one body schema; sending takes a form as well. */
function withForm(document: ApiDocument): ApiDocument {
  const send = document.paths?.['/chat/send']?.post as { requestBody?: { content?: object } } | undefined
  if (send?.requestBody?.content !== undefined) Object.assign(send.requestBody.content, FORM_CONTENT)
  return document
}

/** Every operation named, open ones said to be open, and no schema that nothing refers to. */
function tidied(document: ApiDocument): object {
  const { paths = {}, ...rest } = document as {
    paths?: Readonly<Record<string, Readonly<Record<string, object>>>>
    components?: { schemas?: Record<string, object> }
  }
  const named = Object.entries(paths).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [
        method,
        { operationId: operationId(method, path), security: [], ...operation },
      ]),
    ),
  ])
  const tidy = { ...rest, paths: Object.fromEntries(named) }
  dropUnused(tidy, tidy.components?.schemas ?? {})
  return tidy
}

/** Again and again: what only an unused schema refers to is unused as well. */
function dropUnused(document: object, schemas: Record<string, object>): void {
  const text = JSON.stringify(document)
  const unused = Object.keys(schemas).filter(name => !text.includes(`"#/components/schemas/${name}"`))
  for (const name of unused) delete schemas[name]
  if (unused.length > 0) dropUnused(document, schemas)
}

/** `get /chat/history/{roomId}` is `getChatHistoryRoomId`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(word => word !== '')
  return method + words.map(word => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
}
