import { printToken } from '@sgs-chat/server/print-token'
import { Command } from 'commander'

/** The server's own command, under this roof: it has its own options, and its own help. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('print a token that the server with the same settings accepts (chat token --help)')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_: unknown, command: Command) => {
      process.exitCode = await printToken(command.args)
    })
}
