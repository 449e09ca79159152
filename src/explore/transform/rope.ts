/**
 * Rewritten code in pieces: text, and spans of the source. Pieces can be nested, moved and repeated, and where each
 * character of the source went is known at the end, which is what the source map is made of.
 */

/** A span of the source. An empty one marks the place of the text that follows. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type Rope = string | Span | readonly Rope[]

/** A segment of a decoded source map: generated column, source, line and column, all from 0. */
type Segment = [number, number, number, number]

export interface Flat {
  readonly code: string
  readonly mappings: Segment[][]
}

export function isSpan(rope: Rope): rope is Span {
  return typeof rope === 'object' && !Array.isArray(rope)
}

/** Line and column, from 0, of the offsets of a text. */
export class Lines {
  private readonly starts: number[] = [0]

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.starts.push(at + 1)
  }

  line(offset: number): number {
    let low = 0
    let high = this.starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  column(offset: number): number {
    return offset - this.starts[this.line(offset)]!
  }

  offset(line: number, column: number): number {
    return (this.starts[line] ?? this.starts[this.starts.length - 1]!) + column
  }
}

const TOKENS = /[\w$]+|\n|[^\s\w$]/g

class Flattener {
  private readonly parts: string[] = []
  private readonly mappings: Segment[][] = [[]]
  private column = 0
  private readonly source: string
  private readonly lines: Lines

  constructor(source: string, lines: Lines) {
    this.source = source
    this.lines = lines
  }

  add(rope: Rope): void {
    if (typeof rope === 'string') this.text(rope)
    else if (isSpan(rope)) this.span(rope)
    else for (const piece of rope) this.add(piece)
  }

  finish(): Flat {
    return { code: this.parts.join(''), mappings: this.mappings }
  }

  private text(text: string): void {
    this.parts.push(text)
    this.advance(text)
  }

  private advance(text: string): void {
    for (let from = 0; ;) {
      const at = text.indexOf('\n', from)
      if (at < 0) {
        this.column += text.length - from
        return
      }
      this.mappings.push([])
      this.column = 0
      from = at + 1
    }
  }

  private map(offset: number): void {
    const row = this.mappings[this.mappings.length - 1]!
    row.push([this.column, 0, this.lines.line(offset), this.lines.column(offset)])
  }

  private span({ start, end }: Span): void {
    if (start === end) return this.map(start)
    const text = this.source.slice(start, end)
    this.parts.push(text)
    let done = 0
    for (const { 0: token, index } of text.matchAll(TOKENS)) {
      this.advance(text.slice(done, index))
      if (token !== '\n') this.map(start + index)
      this.advance(token)
      done = index + token.length
    }
    this.advance(text.slice(done))
  }
}

/** The code of a rope over `source`, with the decoded mappings back into it. */
export function flatten(rope: Rope, source: string, lines = new Lines(source)): Flat {
  const flattener = new Flattener(source, lines)
  flattener.add(rope)
  return flattener.finish()
}
