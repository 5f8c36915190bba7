import { ChatClient } from '@sgs-chat/client'
import { createElement as h, type ReactNode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { useRoom } from '../src/use-room.ts'

/** A room as somebody's app would show it: what was said, a way back, and a line to write. */
function RoomApp({ client, roomId }: { readonly client: ChatClient; readonly roomId: number }): ReactNode {
  const { chats, error, hasOlder, send, readOlder } = useRoom(client, roomId)
  const [draft, setDraft] = useState('')
  return h(
    'main',
    null,
    hasOlder ? h('button', { type: 'button', onClick: () => void readOlder() }, 'Older') : null,
    h(
      'ol',
      null,
      chats.map(({ id, content }) => h('li', { key: id }, content)),
    ),
    error === undefined ? null : h('p', { role: 'alert' }, error.code),
    h(
      'form',
      {
        onSubmit: event => {
          event.preventDefault()
          void send(draft)
          setDraft('')
        },
      },
      h('input', { value: draft, onChange: event => setDraft(event.currentTarget.value) }),
    ),
  )
}

/** What the test calls: the room of a server that is elsewhere. */
Object.assign(window, {
  showRoom: async (url: string, token: string, roomId: number): Promise<void> => {
    const client = new ChatClient({ url, token: () => token, reconnectMaxMs: 500 })
    await client.connect()
    createRoot(document.body.appendChild(document.createElement('div'))).render(
      h(RoomApp, { client, roomId }),
    )
  },
})
