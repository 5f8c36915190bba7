import { printToken } from './print-token.ts'

process.exitCode = await printToken(process.argv.slice(2))
