/** Says on stderr what is going on, how far it is, and about how long it will take. */

const LINE_MS = 5000
const REDRAW_MS = 200

export class Progress {
  private readonly beginMs = Date.now()
  private readonly total: number
  private done = 0
  private saidMs = 0
  private readonly isTerminal = process.stderr.isTTY === true

  /** @param total of any unit */
  constructor(total: number) {
    this.total = total
  }

  /** Something begins. */
  say(what: string): void {
    const now = Date.now()
    const wait = this.isTerminal ? REDRAW_MS : LINE_MS
    if (now - this.saidMs < wait) return
    this.saidMs = now
    const share = Math.min(0.999, this.done / this.total)
    const elapsedMs = now - this.beginMs
    const left = share > 0.02 ? `, about ${Math.ceil((elapsedMs * (1 / share - 1)) / 1000)} s left` : ''
    const text = `[${String(Math.floor(share * 100)).padStart(3)} %${left}] ${what}`
    process.stderr.write(this.isTerminal ? `\r\x1b[K${text.slice(0, 110)}` : `${text}\n`)
  }

  advance(part: number): void {
    this.done += part
  }

  /** A line that stays. */
  note(text: string): void {
    process.stderr.write(this.isTerminal ? `\r\x1b[K${text}\n` : `${text}\n`)
  }

  end(): void {
    if (this.isTerminal) process.stderr.write('\r\x1b[K')
  }
}
