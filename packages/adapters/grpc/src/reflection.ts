import { toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import type { Server } from '@grpc/grpc-js'
import { SERVED } from './methods.ts'

const FORMAT = 'Protocol Buffer 3 DescriptorProto'

/** Lets clients such as grpcurl ask the server for its services and messages (grpc.reflection.v1 and v1alpha). */
export async function addReflection(server: Server): Promise<void> {
  // Loaded when it is wanted: it brings a second protobuf library.
  const { ReflectionService } = await import('@grpc/reflection')
  const files = SERVED.map(({ file }) => Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)))
  const described = new ReflectionService({
    files: { format: FORMAT, type: {}, fileDescriptorProtos: files },
  })
  described.addToServer(server)
}
