/** One line on standard error that is written over and over; nothing where that is no terminal. */
export class ProgressLine {
  readonly #isShown: boolean = process.stderr.isTTY === true

  show(text: string): void {
    if (this.#isShown) process.stderr.write(`\r\u001b[K${text.slice(0, process.stderr.columns - 1)}`)
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K')
  }
}
