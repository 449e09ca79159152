import type { Range } from '../../../src/index.ts'

interface Cell {
  /** Undefined once the key is deleted: that it was there and went away is a change, too. */
  readonly value: string | undefined
  readonly stamp: number
}

/** All that a store holds at one moment. It never changes, so a snapshot of it is itself. */
export class Database {
  readonly clock: number
  readonly #cells: ReadonlyMap<string, Cell>

  constructor(clock = 0, cells: ReadonlyMap<string, Cell> = new Map()) {
    this.clock = clock
    this.#cells = cells
  }

  static fromText(text: string): Database {
    const { clock, cells } = JSON.parse(text) as { clock: number; cells: [string, number, string | null][] }
    return new Database(clock, new Map(cells.map(([key, stamp, value]) => [key, { stamp, value: value ?? undefined }])))
  }

  toText(): string {
    const cells = Array.from(this.#cells, ([key, { stamp, value }]) => [key, stamp, value ?? null])
    return JSON.stringify({ clock: this.clock, cells })
  }

  get(key: string): string | undefined {
    return this.#cells.get(key)?.value
  }

  entries(range: Range<string> = {}): [string, string][] {
    const found: [string, string][] = []
    for (const [key, { value }] of this.#cells)
      if (value !== undefined && isWithin(key, range)) found.push([key, value])
    found.sort(([a], [b]) => compare(a, b))
    if (range.reverse === true) found.reverse()
    return found.slice(0, range.limit ?? Infinity)
  }

  changedSince(key: string, moment: number): boolean {
    return (this.#cells.get(key)?.stamp ?? 0) > moment
  }

  /** Whether any key within a range came, went or changed. */
  rangeChangedSince(range: Range<string>, moment: number): boolean {
    for (const [key, { stamp }] of this.#cells) if (stamp > moment && isWithin(key, range)) return true
    return false
  }

  /** As it is after all of the writes; undefined deletes. */
  with(writes: Iterable<readonly [string, string | undefined]>): Database {
    const cells = new Map(this.#cells)
    const clock = this.clock + 1
    for (const [key, value] of writes) cells.set(key, { value, stamp: clock })
    return new Database(clock, cells)
  }
}

function isWithin(key: string, { gt, gte, lt, lte, prefix }: Range<string>): boolean {
  if (gt !== undefined && compare(key, gt) <= 0) return false
  if (gte !== undefined && compare(key, gte) < 0) return false
  if (lt !== undefined && compare(key, lt) >= 0) return false
  if (lte !== undefined && compare(key, lte) > 0) return false
  return prefix === undefined || key.startsWith(prefix)
}

/** The order of UTF-8, which is not the one of JavaScript's strings. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
