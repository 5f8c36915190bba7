import { runMigration } from './migration-command.ts'
import { migrateSqlite } from './sqlite-migration.ts'

const USAGE = `Usage: pnpm migrate:sqlite [--dry-run] [--help]

Takes the data of an embedded server to Kafka and MongoDB (and to S3, with S3_BUCKET). Stop that server,
and give the settings of the new one, with DATA_DIR as it was. Chats keep their ids, times and positions;
the new log (KAFKA_TOPIC) must be new, and begins in a later epoch. DATA_DIR is not changed. It can be
stopped (Ctrl-C) at any moment and run again, also while the new servers run.

Links to files go on opening when FILE_LINK_SECRET is what DATA_DIR/link-secret holds and PUBLIC_URL is
the address it was.

  --dry-run   counts what there is to do and writes nothing

Exit code: 0 done, 1 failed, 2 wrong arguments, 130 or 143 stopped by a signal.
`

await runMigration({ usage: USAGE, run: migrateSqlite })
