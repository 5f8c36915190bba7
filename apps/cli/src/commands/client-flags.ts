import { type Command, Option } from 'commander'
import type { ClientOptions } from '../stomp/client-options.ts'
import { TRANSPORTS, type Transport } from '../stomp/stomp-connection.ts'
import { tokenSource } from '../stomp/token-source.ts'
import { nodeUrls, timeOption } from './options.ts'

/** What every command takes that speaks to a server. */
export interface ClientFlags {
  readonly nodes: string[]
  readonly tokens?: string
  readonly transport: Transport
  readonly connectTimeout: number
  readonly answerTimeout: number
}

const CONNECT_TIMEOUT_MS = 5_000
const ANSWER_TIMEOUT_MS = 30_000
const DEFAULT_NODE = 'http://localhost:8031'

export function addClientFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--nodes <urls>', 'the nodes, with commas between')
        .argParser(nodeUrls)
        .default([DEFAULT_NODE], DEFAULT_NODE),
    )
    .option('--tokens <file>', 'a file with one token a line')
    .addOption(new Option('--transport <name>', 'how to connect').choices(TRANSPORTS).default('websocket'))
    .addOption(timeOption('--connect-timeout', 'for one connection', CONNECT_TIMEOUT_MS))
    .addOption(timeOption('--answer-timeout', 'for one answer', ANSWER_TIMEOUT_MS))
}

export async function clientOptions(flags: ClientFlags): Promise<ClientOptions> {
  return {
    nodes: flags.nodes,
    tokens: await tokenSource(flags),
    transport: flags.transport,
    connectTimeoutMs: flags.connectTimeout,
    answerTimeoutMs: flags.answerTimeout,
  }
}
