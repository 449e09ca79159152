/**
 * For each cell, which thread accessed it at what time of its own clock. Mostly that is one thread, kept in one packed
 * number; only a cell that several threads have accessed has a row of clocks (the idea of FastTrack: Flanagan and
 * Freund, PLDI 2009).
 */
import { MAX_THREADS } from './events.ts'
import { fillRow, grown } from './trace.ts'

const SEVERAL = -1
const THREAD_BITS = 3
const THREAD_MASK = (1 << THREAD_BITS) - 1

export class ClockSets {
  private one = new Int32Array(0)
  private several = new Int32Array(0)

  /** Forgets everything, and makes room for cells again by `grow`. */
  reset(): void {
    this.one = new Int32Array(0)
    this.several = new Int32Array(0)
  }

  grow(cells: number): void {
    this.one = grown(this.one, new Int32Array(cells))
    this.several = grown(this.several, new Int32Array(cells * MAX_THREADS))
  }

  clear(cell: number): void {
    this.one[cell] = 0
  }

  /** Whether nobody has accessed the cell. */
  isEmpty(cell: number): boolean {
    return this.one[cell] === 0
  }

  copy(from: number, to: number): void {
    this.one[to] = this.one[from]!
    this.several.copyWithin(to * MAX_THREADS, from * MAX_THREADS, (from + 1) * MAX_THREADS)
  }

  /** Whether this very access, at this time, is all that is known. */
  isOnly(cell: number, thread: number, time: number): boolean {
    return this.one[cell] === ((time << THREAD_BITS) | thread)
  }

  /** Leaves this access as the only one known. */
  set(cell: number, thread: number, time: number): void {
    this.one[cell] = (time << THREAD_BITS) | thread
  }

  add(cell: number, thread: number, time: number): void {
    const one = this.one[cell]!
    if (one === 0 || (one > 0 && (one & THREAD_MASK) === thread)) {
      this.one[cell] = (time << THREAD_BITS) | thread
      return
    }
    const at = cell * MAX_THREADS
    if (one > 0) {
      fillRow(this.several, cell, 0)
      this.several[at + (one & THREAD_MASK)] = one >>> THREAD_BITS
      this.one[cell] = SEVERAL
    }
    this.several[at + thread] = time
  }

  /** A thread whose access has not happened before `thread`'s present, by its row of `clocks`; or -1. */
  unordered(cell: number, thread: number, clocks: Int32Array): number {
    const one = this.one[cell]!
    if (one === 0) return -1
    const own = thread * MAX_THREADS
    if (one > 0) {
      const other = one & THREAD_MASK
      return other !== thread && one >>> THREAD_BITS > clocks[own + other]! ? other : -1
    }
    const at = cell * MAX_THREADS
    for (let q = 0; q < MAX_THREADS; q++) if (q !== thread && this.several[at + q]! > clocks[own + q]!) return q
    return -1
  }
}
