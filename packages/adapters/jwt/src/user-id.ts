const MAX_USER_ID_LENGTH = 255

/** No part of a name, and a way to forge a line of a log. */
const CONTROL_CHARACTER = /\p{Cc}/u

export function isUserId(text: string): boolean {
  return (
    text !== '' && text.length <= MAX_USER_ID_LENGTH && text.isWellFormed() && !CONTROL_CHARACTER.test(text)
  )
}
