import { create } from '@bufbuild/protobuf'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import {
  type ChatActionResponse,
  ChatActionResponseSchema,
  type ChatSubscribeRequest,
  type ChatUnsubscribeRequest,
} from '../src/generated/grpc_message_service_pb.ts'
import { ORIGINAL } from '../src/methods.ts'

/** The original state server's gRPC end: its two calls, and UNIMPLEMENTED for any other. */
export class OriginalStandIn implements AsyncDisposable {
  readonly told: string[] = []
  readonly port: number
  private readonly server: Server

  private constructor(server: Server, port: number) {
    this.server = server
    this.port = port
  }

  static async start(port = 0): Promise<OriginalStandIn> {
    const server = new Server()
    const sessions = new Map<string, string>()
    let standIn: OriginalStandIn | undefined
    server.addService(ORIGINAL, {
      SubscribeChat(
        { request }: ServerUnaryCall<ChatSubscribeRequest, ChatActionResponse>,
        done: sendUnaryData<ChatActionResponse>,
      ) {
        sessions.set(request.session, request.userId)
        standIn?.told.push(`SUBSCRIBE ${request.session} ${request.roomId}`)
        done(null, create(ChatActionResponseSchema, { userId: request.userId }))
      },
      UnsubscribeChat(
        { request }: ServerUnaryCall<ChatUnsubscribeRequest, ChatActionResponse>,
        done: sendUnaryData<ChatActionResponse>,
      ) {
        standIn?.told.push(`UNSUBSCRIBE ${request.session}`)
        done(null, create(ChatActionResponseSchema, { userId: sessions.get(request.session) ?? '' }))
      },
    })
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
        error === null ? resolve(at) : reject(error),
      )
    })
    standIn = new OriginalStandIn(server, bound)
    return standIn
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.forceShutdown()
  }
}
