import { kafkaChatLog } from '@sgs-chat/kafka'
import { type BackfillProgress, backfillChats } from '@sgs-chat/mongodb'
import { kafkaOptions, mongodbOptions } from '../engines.ts'
import { StartError } from '../start-error.ts'
import { firstRecordMs } from './first-record.ts'
import { type MigrationRun, UsageError } from './migration-command.ts'

/** Gives the documents of the original their positions for good (SPEC G8.2, G8.3). @returns what was done */
export async function migrateMongo(run: MigrationRun): Promise<string> {
  const { config, dryRun, values, signal, tell } = run
  if (config.MONGODB_URL === undefined)
    throw new StartError('MONGODB_URL', 'must be set: there is nothing to migrate')
  const olderThanMs = olderThanOf(values['older-than']) ?? (await beginOfLog(run))
  const done = await backfillChats({
    ...mongodbOptions(config),
    olderThanMs,
    dryRun,
    signal,
    onProgress: progress => tell(() => lineOf(progress, dryRun)),
  })
  return `${lineOf(done, dryRun)}: all that is older than ${new Date(olderThanMs).toISOString()}`
}

function lineOf({ seen, placed, upToMs }: BackfillProgress, dryRun: boolean): string {
  const did = dryRun ? 'would get a position' : 'got a position'
  return `${seen} documents seen, ${placed} ${did}, up to ${new Date(upToMs).toISOString()}`
}

function olderThanOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new UsageError('--older-than must be a time such as 2026-11-24T00:00:00Z')
  return ms
}

/** Now when the log is empty: nobody can have brought anything by it. */
async function beginOfLog({ config }: MigrationRun): Promise<number> {
  await using log = await kafkaChatLog(await kafkaOptions(config))
  return (await firstRecordMs(log)) ?? Date.now()
}
