import { describeSettings, printableConfig } from '@sgs-chat/server/config'
import { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { loadedSettings } from '../settings.ts'

const HELP = `
Settings are read from the environment, as \`pnpm start\` reads them. Secrets are shown as ***.

Ends with
  0  the server can start with these settings
  1  it cannot; every problem is printed

Examples
  $ pnpm chat config
  $ PORT=80 RATE_LIMIT=100 pnpm chat config --changed
  $ pnpm chat config --json | jq .PORT
`

interface Given {
  readonly changed?: true
  readonly json?: true
}

export function configCommand(): Command {
  return new Command('config')
    .description('print the effective configuration, with secrets masked')
    .option('--changed', 'only what is not at its default')
    .option('--json', 'print it as JSON')
    .addHelpText('after', HELP)
    .action(run)
}

function run(given: Given): void {
  const loaded = loadedSettings()
  if (!('config' in loaded)) {
    for (const problem of loaded) console.error(problem)
    process.exitCode = EXIT.failed
    return
  }
  for (const warning of loaded.warnings) console.error(warning)
  const defaults = new Map(describeSettings().map(({ name, byDefault }) => [name, byDefault]))
  const shown = Object.entries(printableConfig(loaded.config)).filter(
    ([name, value]) => !given.changed || value !== defaults.get(name),
  )
  if (given.json) console.log(JSON.stringify(Object.fromEntries(shown), null, 2))
  else for (const [name, value] of shown) console.log(`${name}=${value}`)
}
