import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import type { MethodDefinition } from '@grpc/grpc-js'

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & {
  readonly input: I
  readonly output: O
}

/** A method of a generated service, as grpc-js wants it. */
export function methodDefinition<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
): MethodDefinition<MessageShape<I>, MessageShape<O>> {
  const streams = method.methodKind === 'bidi_streaming'
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: request => serialized(method.input, request),
    requestDeserialize: bytes => fromBinary(method.input, bytes),
    responseSerialize: response => serialized(method.output, response),
    responseDeserialize: bytes => fromBinary(method.output, bytes),
  }
}

/** The same bytes as a Buffer, without a copy. */
function serialized<M extends DescMessage>(schema: M, message: MessageShape<M>): Buffer {
  const bytes = toBinary(schema, message)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
