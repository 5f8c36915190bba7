/** `pnpm --filter @sgs-chat/web build`: makes the page beforehand, for an image that has no bundler at run time. */
import { buildPage } from './build-page.ts'
import { pageFolder } from './page-folder.ts'

await buildPage(pageFolder())
