import { runMigration } from './migration-command.ts'
import { migrateMongo } from './mongo-migration.ts'

const USAGE = `Usage: pnpm migrate:mongo [--dry-run] [--older-than <time>] [--help]

Gives the documents that the Java servers wrote into MONGODB_COLLECTION their positions for good: the
ones that reads give them already, so nothing moves for a reader. Only documents older than the first
record of the log (KAFKA_TOPIC) are touched, and nothing but their field \`pos\` is written. The settings
are the server's own. It can be stopped (Ctrl-C) at any moment and run again, beside running servers.

  --dry-run            counts what there is to do and writes nothing
  --older-than <time>  touches what is older than this instead: 2026-11-24T00:00:00Z

Exit code: 0 done, 1 failed, 2 wrong arguments, 130 or 143 stopped by a signal.
`

await runMigration({ usage: USAGE, options: ['older-than'], run: migrateMongo })
