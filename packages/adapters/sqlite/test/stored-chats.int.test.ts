import { join } from 'node:path'
import type { LoggedChat } from '@sgs-chat/core'
import { describe, expect, it } from 'vitest'
import { bumpEpoch, sqliteChatStore, storedChats } from '../src/index.ts'
import { chatOf, openStore, temporaryFolder } from './store-fixture.ts'

describe('everything that a file holds', () => {
  it('G8.4: is given with its positions, what is archived and what is not yet, over epochs', async () => {
    const path = join(temporaryFolder(), 'chat.sqlite')
    const first = await sqliteChatStore({ path })
    const positions = await first.log.append(['b', 'a', 'c'].map(id => chatOf(id)))
    const archived = ['b', 'a'].map(
      (id, index) => ({ ...chatOf(id), position: positions[index] }) as LoggedChat,
    )
    await first.history.save(archived)
    const to = { position: { epoch: 1, seq: 1 }, log: first.log.identity, fingerprint: 'a', lost: [] }
    expect(await first.history.advance(0, undefined, to)).toBe(true)
    await first.close()
    bumpEpoch(path)
    const second = await sqliteChatStore({ path })
    await second.log.append([chatOf('d'), chatOf('a')])
    await second.close()

    using stored = storedChats(path)
    expect(stored).toMatchObject({ epoch: 2, clusterId: second.log.identity.clusterId, count: 5 })
    for (const limit of [1, 2, 100]) {
      const all = [...stored.pages(limit)].flat()
      expect(all.map(({ _id, position: { epoch, seq } }) => `${_id} ${epoch}:${seq}`)).toEqual([
        'a 1:1',
        'b 1:0',
        'c 1:2',
        'd 2:3',
        'a 2:4',
      ])
      expect(all[1]).toEqual(archived[0])
    }
  })

  it('is refused while a server has the file, and where there is none; it keeps a server out itself', async () => {
    const path = join(temporaryFolder(), 'chat.sqlite')
    expect(() => storedChats(path)).toThrow(/DATA_DIR/)
    const store = await openStore({ path })
    expect(() => storedChats(path)).toThrow(/DATA_DIR/)
    await store.close()
    {
      using _stored = storedChats(path)
      await expect(sqliteChatStore({ path })).rejects.toThrow(/DATA_DIR/)
    }
    await openStore({ path })
  })
})
