const BAR_CELLS = 24

/** One line on standard error that is written over and over; nothing where that is no terminal. */
export class ProgressLine {
  readonly #isShown: boolean = process.stderr.isTTY === true

  show(text: string): void {
    // A terminal that does not know its width says 0.
    const columns = process.stderr.columns || 80
    if (this.#isShown) process.stderr.write(`\r\u001b[K${text.slice(0, columns - 1)}`)
  }

  /** A bar, for work that has an end. @param share from 0 to 1 */
  showShare(share: number, text: string): void {
    const done = Math.min(1, Math.max(0, share))
    const cells = Math.round(done * BAR_CELLS)
    const percent = `${Math.round(done * 100)}`.padStart(3)
    this.show(`${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${percent} %  ${text}`)
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K')
  }
}
