import { parseArgs } from 'node:util'
import { CONTESTANTS, type Contestant, isContestant } from './contestants.ts'

export interface BenchOptions {
  readonly rounds: number | undefined
  readonly quick: boolean
  readonly output: 'table' | 'json' | 'markdown'
  readonly save: boolean
  readonly contestants: readonly Contestant[] | undefined
  /** Of `fanout`. */
  readonly scenarios: readonly string[] | undefined
  /** Of `soak`. */
  readonly minutes: number | undefined
  /** Of `soak`: with Kafka and MongoDB, of which MongoDB is taken away. */
  readonly storeStopped: boolean
  /** Of `pipeline`. */
  readonly profiles: readonly string[] | undefined
  /** Of `fanout`: JSON of a delivered chat. */
  readonly bodyBytes: number | undefined
  /** Of `fanout`: messages that each publisher keeps in flight. */
  readonly inFlight: number | undefined
  /** Of `idle`. */
  readonly clients: number | undefined
  /** Of `presence-load`: sessions connect to enter and close to leave. */
  readonly connect: boolean
  /** Profiles the servers, and prints where their time goes. */
  readonly profile: boolean
}

const BENCHES = ['fanout', 'idle', 'pipeline', 'soak', 'presence-link', 'presence-load'] as const
type BenchName = (typeof BENCHES)[number]

export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'wrong'; readonly problem: string }
  | { readonly name: BenchName; readonly options: BenchOptions }

export const HELP: string = `pnpm bench <name> [options]

  fanout   1 room × 500 and 100 rooms × 10 subscribers, saturating and paced, beside its baselines
  pipeline STOMP SEND → log → subscribers, 10 rooms × 10: embedded, Kafka with 1 and 3 nodes, beside kafkajs alone
           (KAFKA_BROKERS and MONGODB_URL as tools/services/*.sh up print them; without them the embedded profile only)
  soak     the heap of the embedded server under a paced load, with subscribers that come and go; also pnpm soak.
           Ends with 1 when it grows by more than 0.5 % a minute, or a chat is lost, doubled or out of order
  idle     memory of the server for each client that only listens
  presence-link
           the link to the state server over TCP and over gRPC; --save writes docs/tcp-vs-grpc.md too
  presence-load
           10,000 sessions enter and leave at 2,000/s beside a paced chat: what each link costs the chat.
           Ends with 1 when the registry is not what the sessions are

  --rounds N         interleaved rounds (7, idle: 5; with --quick 3, idle: 2)
  --quick            fewer and shorter rounds: an indication only
  --only A,B         some contestants: ${CONTESTANTS.join(', ')}
  --scenario A,B     fanout: some of 1x500, 100x10, 1x500-paced, 100x10-paced
                     pipeline: some of saturating, paced
  --minutes N        soak: how long (10; with --quick 2)
  --store-stopped    soak: on KAFKA_BROKERS and MONGODB_URL, the way to MongoDB cut after the first quarter
  --profiles A,B     pipeline: some of kafkajs, embedded, kafka-1, kafka-3, and what is measured only when it is asked for:
                     kafka-3-placed (each partition's rooms on one node), kafka-3-interest (and KAFKA_FOLLOW=interest)
  --body N           fanout: bytes of a delivered JSON body (200)
  --in-flight N      fanout: messages of each publisher in flight (1x500: 2, 100x10: 3)
  --clients N        idle, presence-load: connections that listen, sessions that come and go (10,000)
  --connect          presence-load: the sessions connect to enter and close to leave, where else they subscribe and
                     unsubscribe on connections that stay open
  --json             prints the whole result
  --markdown         prints the tables for docs/benchmarks.md
  --save             writes bench/results/<name>.json too
  --profile          fanout, pipeline, presence-load: profiles the servers and prints where their time goes;
                     the numbers suffer
  --help             this

Each server runs on core 0 and the load generator on core 1, where taskset is at hand. Leave the machine alone meanwhile.`

export function parseCommandLine(args: readonly string[]): Command {
  try {
    return parse(args)
  } catch (error) {
    return { name: 'wrong', problem: error instanceof Error ? error.message : String(error) }
  }
}

function parse(args: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: args.filter(arg => arg !== '--'),
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      scenario: { type: 'string' },
      profiles: { type: 'string' },
      minutes: { type: 'string' },
      'store-stopped': { type: 'boolean', default: false },
      body: { type: 'string' },
      'in-flight': { type: 'string' },
      clients: { type: 'string' },
      connect: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [name, ...more] = positionals
  if (values.help || name === undefined) return { name: 'help' }
  const bench = BENCHES.find(one => one === name)
  if (bench === undefined || more.length > 0) {
    return { name: 'wrong', problem: `no such bench: ${positionals.join(' ')}` }
  }
  const output = values.json ? 'json' : values.markdown ? 'markdown' : 'table'
  const { quick, save, profile, connect } = values
  return {
    name: bench,
    options: {
      rounds: positive('--rounds', values.rounds),
      inFlight: positive('--in-flight', values['in-flight']),
      bodyBytes: positive('--body', values.body),
      storeStopped: values['store-stopped'],
      minutes: minutes(values.minutes),
      clients: positive('--clients', values.clients),
      contestants: values.only?.split(',').map(contestant),
      scenarios: values.scenario?.split(','),
      profiles: values.profiles?.split(','),
      output,
      quick,
      save,
      profile,
      connect,
    },
  }
}

function positive(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isInteger(number) || number <= 0) throw new RangeError(`${option} takes a whole number above 0`)
  return number
}

function minutes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isFinite(number) || number <= 0) throw new RangeError('--minutes takes a number above 0')
  return number
}

function contestant(name: string): Contestant {
  if (!isContestant(name))
    throw new RangeError(`--only: no contestant ${name}; there are ${CONTESTANTS.join(', ')}`)
  return name
}
