import { Command } from 'commander'
import { checkEngines } from '../doctor/check-engines.ts'
import { checkDataFolder, checkKeys, checkPort } from '../doctor/check-local.ts'
import { checkRoomAccess } from '../doctor/check-room-access.ts'
import { type Finding, problem, warning } from '../doctor/finding.ts'
import { EXIT } from '../exit-codes.ts'
import { loadedSettings } from '../settings.ts'

const HELP = `
Looks at the settings of this environment, and at what they name: the data folder, the port, the keys of tokens, the
service that ROOM_ACCESS names, and whether somebody listens where KAFKA_BROKERS, MONGODB_URL, S3_ENDPOINT and STATE_SERVER
say. It changes nothing, and logs in nowhere: a wrong password, a missing bucket or a weak topic is told by the start.

Ends with
  0  a server can start with these settings (there may be warnings)
  1  it cannot, or it could not serve

Examples
  $ pnpm chat doctor
  $ ROOM_ACCESS=https://rooms.example/access pnpm chat doctor --json
`

interface Given {
  readonly json?: true
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check the configuration and what it names; says what is wrong, and which setting to look at',
    )
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', HELP)
    .action(run)
}

async function run(given: Given): Promise<void> {
  const findings = await allFindings()
  if (given.json) console.log(JSON.stringify(findings, null, 2))
  else for (const { level, setting, text } of findings) console.log(`${level.padEnd(8)} ${setting}: ${text}`)
  if (findings.some(({ level }) => level === 'problem')) process.exitCode = EXIT.failed
}

async function allFindings(): Promise<Finding[]> {
  const loaded = loadedSettings()
  // A problem, and a warning, begins with its setting's name.
  const named = (make: typeof problem, text: string): Finding => {
    const [setting = '', ...rest] = text.split(' ')
    return make(setting.replace(/:$/, ''), rest.join(' '))
  }
  if (!('config' in loaded)) return loaded.map(text => named(problem, text))
  const { config, warnings } = loaded
  const checked = await Promise.all([
    checkDataFolder(config),
    checkPort(config),
    checkKeys(config),
    checkRoomAccess(config),
    checkEngines(config),
  ])
  return [...warnings.map(text => named(warning, text)), ...checked.flat()]
}
