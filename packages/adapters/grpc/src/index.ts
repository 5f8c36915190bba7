export type { GrpcClientTls, GrpcSessionPresenceOptions } from './grpc-options.ts'
export { type GrpcPresenceServer, grpcPresenceServer } from './grpc-presence-server.ts'
export type { GrpcPresenceServerOptions, GrpcServerTls } from './grpc-server-options.ts'
export { type GrpcSessionPresence, grpcSessionPresence } from './grpc-session-presence.ts'
