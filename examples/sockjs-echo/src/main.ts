import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { attachEchoServices } from './echo-services.ts'

const { values } = parseArgs({
  // pnpm hands on the `--` that may stand before the arguments.
  args: process.argv.slice(2).filter(argument => argument !== '--'),
  options: {
    port: { type: 'string', default: '8081' },
    host: { type: 'string', default: '127.0.0.1' },
    edition: { type: 'string', default: 'latest' },
  },
})

const { port, host, edition } = values
if (edition !== 'latest' && edition !== '0.3.3') throw new Error('--edition is latest or 0.3.3')

const server = createServer()
attachEchoServices(server, { edition })
server.listen(Number(port), host, () => {
  console.log(`SockJS echo services on http://${host}:${port}/echo`)
})
