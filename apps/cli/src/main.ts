import { Command, CommanderError } from 'commander'
import { configCommand } from './commands/config.ts'
import { doctorCommand } from './commands/doctor.ts'
import { historyCommand } from './commands/history.ts'
import { sendCommand } from './commands/send.ts'
import { tailCommand } from './commands/tail.ts'
import { tokenCommand } from './commands/token.ts'
import { verifyCommand } from './commands/verify.ts'
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts'
import { ConnectError, NobodyThereError } from './stomp/stomp-connection.ts'
import { ProtocolError } from './verify/reader.ts'

const program = new Command('chat').description('Commands for a chat server: each has --help with examples.')
for (const command of [
  tokenCommand(),
  sendCommand(),
  tailCommand(),
  historyCommand(),
  verifyCommand(),
  doctorCommand(),
  configCommand(),
]) {
  program.addCommand(command)
}
for (const command of program.commands) command.exitOverride().showHelpAfterError('(see --help)')
program.exitOverride()

// Whoever reads has enough: `chat history 7 | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  throw error
})

try {
  await program.parseAsync(process.argv.filter((arg, index) => index < 2 || arg !== '--'))
} catch (error) {
  process.exitCode = told(error)
}

function told(error: unknown): ExitCode {
  // The library has written what is to say of it.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) return EXIT.usage
  const isUnreachable =
    error instanceof ConnectError || error instanceof NobodyThereError || error instanceof ProtocolError
  return isUnreachable ? EXIT.unreachable : EXIT.failed
}
