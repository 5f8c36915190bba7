import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { testServers, tokenFor } from '../../server/test/e2e/server-process.ts'
import { clusterSettings, sharedServices } from '../../server/test/services/shared-services.ts'
import { launch } from './browser.ts'
import { Typed } from './life/outage.ts'
import { pageLife, played } from './life/page-life.ts'
import { type Stage, stageOf } from './life/stage.ts'
import { productionProfile } from './profiles.ts'
import { goToRoom, PATIENCE, signInByToken } from './steps.ts'

const services = await sharedServices()
let browser: Browser | undefined
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser?.close())

const servers = testServers()

describe.skipIf(services === undefined)('the page on Kafka, MongoDB and S3', () => {
  if (services === undefined) return
  const stage = stageOf(() => browser, productionProfile(servers, services))
  pageLife(stage)

  it(
    'U2: one of two nodes is killed while both type: each chat once on both pages, in one order',
    played(stage, oneNodeKilled),
  )

  async function oneNodeKilled({ visit }: Stage): Promise<void> {
    if (services === undefined) return
    const settings = { ...clusterSettings(services), USER_RATE_LIMIT: 'off' }
    const [first, second] = await Promise.all([servers.start(settings), servers.start(settings)])
    const [alice, bob] = [await visit(first.url), await visit(second.url)]
    for (const [page, name] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      await signInByToken(page, tokenFor(name))
      await goToRoom(page, 7)
    }
    const typed = new Typed(alice, bob)
    for (let round = 0; round < 3; round++) await typed.both(`before ${round}`)
    await second.stop('SIGKILL')
    for (let round = 0; round < 3; round++) await typed.both(`meanwhile ${round}`)
    await bob.getByText('No connection', { exact: false }).first().waitFor(PATIENCE)
    await servers.start({ ...settings, PORT: new URL(second.url).port })
    for (let round = 0; round < 3; round++) await typed.both(`after ${round}`)
    await typed.isShownOnceInOneOrder()
  }
})
