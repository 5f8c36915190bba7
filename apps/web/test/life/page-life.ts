import { it } from 'vitest'
import { forbiddenRoom, tokenEndsAndIsReplaced } from './access.ts'
import { twoPeopleChat } from './chatting.ts'
import { serverKilledWhileBothType } from './outage.ts'
import { thousandChatsBack } from './scrolling-back.ts'
import { pictureAndFiles } from './sharing-files.ts'
import type { Stage } from './stage.ts'

/** A scene as a test; without a browser or the servers it is skipped, which was said. */
export function played(stage: () => Stage | undefined, scene: (stage: Stage) => Promise<void>) {
  return async (context: { skip: () => void }): Promise<void> => {
    const there = stage()
    if (there === undefined) context.skip()
    else await scene(there)
  }
}

/** Everything that the page is for, in whatever way its server is composed. */
export function pageLife(stage: () => Stage | undefined): void {
  it(
    'U1, U2, U6: two people sign in, chat both ways, and see each other come and go',
    played(stage, twoPeopleChat),
  )
  it(
    'U3: pictures and files: by choice, drop and paste; large in a dialog, by name and size, and given up half-way',
    played(stage, pictureAndFiles),
  )
  it(
    'U4: a thousand chats are scrolled back through to the first, each once and in order',
    played(stage, thousandChatsBack),
  )
  it(
    'U2: the server is killed and started again while both type: each chat once on both pages, in one order',
    played(stage, serverKilledWhileBothType),
  )
  it(
    'U5: a token that ends soon, and one that has ended, are replaced without losing anything',
    played(stage, tokenEndsAndIsReplaced),
  )
  it('U5: a forbidden room says so kindly, and the way back works', played(stage, forbiddenRoom))
}
