export { apiSchemas } from './api-schemas.ts'
export type { DevToken } from './http-context.ts'
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http-limits.ts'
export { type HttpRoomAccessOptions, httpRoomAccess } from './http-room-access.ts'
export {
  type HttpServer,
  type HttpServerOptions,
  httpServer,
  type ListeningAt,
  type ListenOptions,
} from './http-server.ts'
export { HTTP_STATUS } from './http-status.ts'
export type { HttpTakeover } from './http-takeover.ts'
export type { Compat } from './wire.ts'
