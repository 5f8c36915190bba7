import { expect } from 'vitest'
import { look } from '../looks.ts'
import { PATIENCE, say, shown } from '../steps.ts'
import { pair, type Stage } from './stage.ts'

const CONVERSATION = [
  'Did you finish chapter 3?',
  'Almost: https://example.org/notes.\nTen minutes.',
  'No hurry.',
  '같이 해요',
]

export async function twoPeopleChat(stage: Stage): Promise<void> {
  const { profile, visit } = stage
  const nodes = await profile.start()
  const start = await visit(nodes.urls[0])
  await start.getByRole('heading', { name: 'Study rooms' }).waitFor()
  await look(start, `${profile.name}-01-sign-in`)

  const [alice, bob] = await pair(stage, nodes, 7)
  await alice.getByText('Nothing was said here yet').waitFor(PATIENCE)
  await look(alice, `${profile.name}-02-empty`)
  await say(alice, CONVERSATION[0] ?? '')
  await bob.getByText('Did you finish chapter 3?', { exact: true }).first().waitFor(PATIENCE)
  await say(bob, CONVERSATION[1] ?? '')
  await say(bob, CONVERSATION[2] ?? '')
  await expect.poll(() => shown(alice), PATIENCE).toEqual(CONVERSATION.slice(0, 3))
  // Enter that ends a syllable of Korean is no message.
  const box = alice.locator('.composer textarea')
  await box.fill('같이 해요')
  await box.dispatchEvent('keydown', { key: 'Enter', isComposing: true })
  expect(await box.inputValue()).toBe('같이 해요')
  await box.press('Enter')
  for (const page of [alice, bob]) await expect.poll(() => shown(page), PATIENCE).toEqual(CONVERSATION)
  expect(await alice.locator('.chat.own').count()).toBe(2)
  expect(await bob.locator('.chat.own').count()).toBe(2)
  expect(await alice.locator('.chat.following').count()).toBe(1)
  await alice.getByRole('heading', { name: 'Today' }).waitFor()
  await bob.getByRole('heading', { name: '오늘' }).waitFor()
  expect(await bob.getByRole('link', { name: 'https://example.org/notes' }).getAttribute('rel')).toContain(
    'noopener',
  )
  expect(await bob.locator('[aria-live=polite]').last().textContent()).toBe('alice: 같이 해요')

  await expect.poll(() => alice.locator('.faces').textContent(), PATIENCE).toContain('2')
  await look(alice, `${profile.name}-03-room`)
  await look(bob, `${profile.name}-03-room`)
  await alice.locator('.faces').click()
  await alice.locator('.people-list').getByText('bob').waitFor()
  await look(alice, `${profile.name}-04-people`)
  await alice.keyboard.press('Escape')
  await bob.getByRole('button', { name: '나가기' }).click()
  await bob.locator('input[name=name]').waitFor()
  await alice.getByText('bob left').waitFor(PATIENCE)
}
