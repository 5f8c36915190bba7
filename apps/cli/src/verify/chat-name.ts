/** Which of a run's chats this is: the writer's number, and the chat's number of that writer. */
export interface ChatName {
  readonly writer: number
  readonly number: number
}

/** A chat as its content tells it; the time is of the run's own clock, so that nobody has to remember it. */
export interface NamedChat extends ChatName {
  readonly sentAtMs: number
}

/** A chat's content: its name and time, filled up to so many bytes. Chats of other runs and of people are told apart by the run. */
export function contentOf(run: string, { writer, number, sentAtMs }: NamedChat, bytes: number): string {
  return `verify ${run} ${writer} ${number} ${Math.round(sentAtMs)} `.padEnd(bytes, '.')
}

/** The chat in a content; undefined when it is none of this run's. */
export function namedChatIn(run: string, content: unknown): NamedChat | undefined {
  if (typeof content !== 'string') return undefined
  const match = /^verify ([0-9a-f]+) (\d{1,6}) (\d{1,10}) (\d{1,12}) \.*$/.exec(content)
  if (match === null || match[1] !== run) return undefined
  return { writer: Number(match[2]), number: Number(match[3]), sentAtMs: Number(match[4]) }
}

/** What a writer calls its chat towards the server: the same on every try. */
export function clientMessageIdOf(run: string, { writer, number }: ChatName): string {
  return `verify-${run}-${writer}-${number}`
}
