import { signal } from '@preact/signals'

/** The room of `#/rooms/7`; anything else is the lobby. */
function roomOf(hash: string): number {
  const roomId = Number(/^#\/rooms\/(\d{1,16})$/.exec(hash)?.[1] ?? 0)
  return Number.isSafeInteger(roomId) ? roomId : 0
}

export const currentRoom = signal(roomOf(location.hash))

export function followRoute(): void {
  addEventListener('hashchange', () => {
    currentRoom.value = roomOf(location.hash)
  })
}

export function linkTo(roomId: number): string {
  return roomId === 0 ? '#/' : `#/rooms/${roomId}`
}
