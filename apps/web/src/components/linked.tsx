const LINK = /(https?:\/\/[^\s<>"']+[^\s<>"'.,:;!?)\]])/

/** Text with its links as links. */
export function Linked({ words }: { readonly words: string }) {
  const parts = words.split(LINK)
  return (
    <>
      {parts.map((part, index) =>
        index % 2 === 0 ? (
          part
        ) : (
          <a key={`${index}`} href={part} target="_blank" rel="noopener noreferrer nofollow">
            {part}
          </a>
        ),
      )}
    </>
  )
}
