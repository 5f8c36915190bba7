import process from 'node:process'
import { HELP, parseCommandLine } from './command-line.ts'
import { fanoutBench } from './fanout/fanout-bench.ts'
import { idleBench } from './idle/idle-bench.ts'
import { pipelineBench } from './pipeline/pipeline-bench.ts'
import { writeLinkDocument } from './presence-link/link-document.ts'
import { presenceLinkBench } from './presence-link/presence-link-bench.ts'
import { presenceLoadBench } from './presence-load/presence-load-bench.ts'
import { report } from './report.ts'
import { soakBench } from './soak/soak-bench.ts'

const command = parseCommandLine(process.argv.slice(2))
switch (command.name) {
  case 'help':
    console.log(HELP)
    break
  case 'wrong':
    console.error(`${command.problem}\n\n${HELP}`)
    process.exitCode = 2
    break
  case 'fanout':
    await report(await fanoutBench(command.options), command.options)
    break
  case 'idle':
    await report(await idleBench(command.options), command.options)
    break
  case 'presence-link': {
    const result = await presenceLinkBench(command.options)
    await report(result, command.options)
    if (command.options.save) await writeLinkDocument(result, `pnpm bench ${process.argv.slice(2).join(' ')}`)
    break
  }
  case 'presence-load': {
    const result = await presenceLoadBench(command.options)
    await report(result, command.options)
    process.exitCode = result.passed ? 0 : 1
    break
  }
  case 'pipeline':
    await report(await pipelineBench(command.options), command.options)
    break
  case 'soak': {
    const result = await soakBench(command.options)
    await report(result, command.options)
    process.exitCode = result.passed ? 0 : 1
    break
  }
}
