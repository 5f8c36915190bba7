import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { attachEchoServices } from './echo-services.ts'

const { values } = parseArgs({
  // pnpm hands on the `--` that may stand before the arguments.
  args: process.argv.slice(2).filter(argument => argument !== '--'),
  options: { port: { type: 'string', default: '8081' }, host: { type: 'string', default: '127.0.0.1' } },
})

const server = createServer()
attachEchoServices(server)
server.listen(Number(values.port), values.host, () => {
  console.log(`SockJS echo services on http://${values.host}:${values.port}/echo`)
})
