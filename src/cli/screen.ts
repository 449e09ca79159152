/** What a stream must offer for the commands to write to it; process.stdout and process.stderr do. */
export interface Output {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

const BAR_CELLS = 30

/**
 * Lines on stdout. A bar that redraws itself only where a person looks at it, on whichever of the two streams is a
 * terminal; plain lines at every quarter otherwise.
 */
export class Screen {
  private readonly out: Output
  private readonly terminal: Output | undefined

  constructor(out: Output = process.stdout, err: Output = process.stderr) {
    this.out = out
    this.terminal = out.isTTY === true ? out : err.isTTY === true ? err : undefined
  }

  line(text = ''): void {
    this.out.write(`${text}\n`)
  }

  /** The progress of one thing, shown as `show(done)` is called; `end()` takes the bar away again. */
  progress(label: string, total: number): Progress {
    return new Progress((text) => this.line(text), this.terminal, label, total)
  }

  /** The same, but nothing at all where there is no terminal. */
  quietProgress(label: string, total: number): Progress {
    return new Progress(() => {}, this.terminal, label, total)
  }
}

export class Progress {
  private readonly tell: (line: string) => void
  private readonly terminal: Output | undefined
  private readonly label: string
  private readonly total: number
  private quarter = 0
  private drawn = ''

  constructor(tell: (line: string) => void, terminal: Output | undefined, label: string, total: number) {
    this.tell = tell
    this.terminal = terminal
    this.label = label
    this.total = Math.max(1, total)
  }

  show(done: number): void {
    const part = Math.min(1, Math.max(0, done / this.total))
    if (this.terminal === undefined) {
      const quarter = Math.floor(part * 4)
      if (quarter > this.quarter && quarter < 4) this.tell(`  ${this.label}: ${quarter * 25} %`)
      this.quarter = Math.max(this.quarter, quarter)
      return
    }
    const cells = Math.round(part * BAR_CELLS)
    const bar = '#'.repeat(cells) + '.'.repeat(BAR_CELLS - cells)
    const text = `  ${this.label} [${bar}] ${Math.floor(part * 100)} %`
    if (text === this.drawn) return
    this.terminal.write(`\r${text}`)
    this.drawn = text
  }

  end(): void {
    if (this.terminal !== undefined && this.drawn !== '') this.terminal.write(`\r${' '.repeat(this.drawn.length)}\r`)
    this.drawn = ''
  }
}
