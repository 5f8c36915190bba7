import { effect, signal } from '@preact/signals'

export type Language = 'en' | 'ko'
export type Theme = 'auto' | 'light' | 'dark'

const THEMES: readonly Theme[] = ['auto', 'light', 'dark']
const MAX_ROOMS = 20

/** What the browser keeps between visits; never a token. */
function stored(name: string): string | null {
  try {
    return localStorage.getItem(`sgs-chat.${name}`)
  } catch {
    return null
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(`sgs-chat.${name}`, value)
  } catch {
    // A browser that keeps nothing: the choice lasts as long as the page.
  }
}

function firstLanguage(): Language {
  const chosen = stored('language')
  if (chosen === 'ko' || chosen === 'en') return chosen
  return navigator.language.startsWith('ko') ? 'ko' : 'en'
}

export const language = signal<Language>(firstLanguage())
export const theme = signal<Theme>(THEMES.find(one => one === stored('theme')) ?? 'auto')
export const userName = signal(stored('name') ?? '')
/** Rooms of before, the last one first; the lobby is always there. */
export const recentRooms = signal<readonly number[]>(readRooms())

function readRooms(): readonly number[] {
  const rooms = (stored('rooms') ?? '').split(',').filter(text => /^[1-9]\d{0,15}$/.test(text))
  return rooms.map(Number).filter(Number.isSafeInteger).slice(0, MAX_ROOMS)
}

export function rememberRoom(roomId: number): void {
  if (roomId === 0 || recentRooms.value.includes(roomId)) return
  recentRooms.value = [roomId, ...recentRooms.value].slice(0, MAX_ROOMS)
}

export function keepPreferences(): void {
  effect(() => {
    document.documentElement.lang = language.value
    store('language', language.value)
  })
  effect(() => {
    document.documentElement.dataset.theme = theme.value
    store('theme', theme.value)
  })
  effect(() => store('name', userName.value))
  effect(() => store('rooms', recentRooms.value.join(',')))
}
