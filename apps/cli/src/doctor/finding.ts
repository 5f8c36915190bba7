/** What a check has found out: whether a start would go well, and which setting to look at when not. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem'
  readonly setting: string
  readonly text: string
}

export function ok(setting: string, text: string): Finding {
  return { level: 'ok', setting, text }
}

export function warning(setting: string, text: string): Finding {
  return { level: 'warning', setting, text }
}

export function problem(setting: string, text: string): Finding {
  return { level: 'problem', setting, text }
}
