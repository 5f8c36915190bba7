import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.tsx'

interface NoticeProps {
  readonly icon: IconName
  readonly children: ComponentChildren
  readonly isAlert?: boolean
}

/** What stands where chats would: why there are none, and what to do. */
export function Notice({ icon, children, isAlert = false }: NoticeProps) {
  return (
    <div class="notice" role={isAlert ? 'alert' : undefined}>
      <span class={`notice-icon${isAlert ? ' bad' : ''}`}>
        <Icon name={icon} />
      </span>
      {children}
    </div>
  )
}
