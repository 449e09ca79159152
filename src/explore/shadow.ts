/**
 * What is known of each word besides its value: who accessed it, how and when, and whether it belongs to a block that
 * was freed.
 *
 * Happens-before is that of the JavaScript memory model: an atomic read synchronises with the atomic write whose value
 * it reads; `Atomics.wait` and `notify` of one word exclude each other. Two accesses race if they overlap, one of them
 * writes, neither happened before the other, and they are not both atomic with the same range (ECMA-262, 29.9). Without
 * a data race all executions are sequentially consistent, so exploring interleavings is exploring everything.
 *
 * Cells are words; a word accessed in part is tracked by its bytes from then on.
 */
import { Cells } from './cells.ts'
import { ClockSets } from './clock-sets.ts'
import { ALLOCATE, CALL, FREE, MAX_THREADS, NOTIFY, STORE, WAIT, WAKE } from './events.ts'
import type { FailureKind } from './failure.ts'
import type { View } from './pending.ts'
import { fillRow, grown, trace } from './trace.ts'

const LIVE = 1
const FREED = 2

/** Reported by `shadow` to whoever runs the execution. */
export interface Finding {
  readonly kind: FailureKind
  readonly thread: number
  readonly other: number
  /** First byte of the accesses that collide. */
  readonly byte: number
  readonly what: string
  readonly site: number
}

interface Block {
  readonly words: number
  readonly site: number
}

export class Shadow {
  /** Whether races are looked for. */
  races = true
  onFinding: (finding: Finding) => void = () => undefined
  /** Blocks allocated and not yet freed in this execution, by first word. */
  readonly blocks = new Map<number, Block>()
  private execution = 0
  private anyFreed = false
  private cells!: Cells
  private stamp = new Int32Array(0)
  private state = new Uint8Array(0)
  /** Width of the atomic accesses to a cell: 0 for none yet. */
  private shape = new Uint8Array(0)
  private readonly plainWrites = new ClockSets()
  private readonly plainReads = new ClockSets()
  private readonly atomicWrites = new ClockSets()
  private readonly atomicReads = new ClockSets()
  /** By cell: the clock that a reader of its present value takes over. */
  private released = new Int32Array(0)
  private readonly clocks = new Int32Array(MAX_THREADS * MAX_THREADS)
  /** By word: the clock of its list of waiters. */
  private readonly waiters = new Map<number, Int32Array>()

  configure(words: number, races: boolean): void {
    this.races = races
    this.stamp = new Int32Array(0)
    this.state = new Uint8Array(0)
    this.shape = new Uint8Array(0)
    this.released = new Int32Array(0)
    const sets = [this.plainWrites, this.plainReads, this.atomicWrites, this.atomicReads]
    for (const set of sets) set.reset()
    this.cells = new Cells(words, (capacity) => {
      this.stamp = grown(this.stamp, new Int32Array(capacity))
      this.state = grown(this.state, new Uint8Array(capacity))
      this.shape = grown(this.shape, new Uint8Array(capacity))
      this.released = grown(this.released, new Int32Array(capacity * MAX_THREADS))
      for (const set of sets) set.grow(capacity)
    })
  }

  begin(): void {
    this.execution++
    this.anyFreed = false
    if (this.blocks.size !== 0) this.blocks.clear()
    if (this.waiters.size !== 0) this.waiters.clear()
    for (let t = 0; t < MAX_THREADS; t++) {
      fillRow(this.clocks, t, 0)
      this.clocks[t * MAX_THREADS + t] = 1
    }
  }

  /** All that `first` has done comes before whatever `then` does. */
  order(first: number, then: number): void {
    this.join(then, this.clocks, first * MAX_THREADS)
  }

  private join(t: number, from: Int32Array, at: number): void {
    const own = t * MAX_THREADS
    for (let q = 0; q < trace.threads; q++)
      if (from[at + q]! > this.clocks[own + q]!) this.clocks[own + q] = from[at + q]!
  }

  private fresh(cell: number): void {
    if (this.stamp[cell] !== this.execution) this.freshen(cell)
  }

  private freshen(cell: number): void {
    this.stamp[cell] = this.execution
    this.state[cell] = 0
    this.shape[cell] = 0
    this.plainWrites.clear(cell)
    this.plainReads.clear(cell)
    this.atomicWrites.clear(cell)
    this.atomicReads.clear(cell)
    const at = cell * MAX_THREADS
    for (let q = 0; q < trace.threads; q++) this.released[at + q] = 0
  }

  /** A step of the machine: an atomic access, or the announcement of a block. */
  atomic(
    t: number,
    op: number,
    view: View | undefined,
    index: number,
    word: number,
    span: number,
    write: number,
    site: number,
  ): void {
    if (word < 0) return
    if (op >= WAIT) {
      if (op >= CALL) {
        if (op === ALLOCATE) this.allocate(t, word, span, site)
        else if (op === FREE) this.free(t, word, span, site)
        return
      }
      this.enterWaiters(t, word)
      if (op === NOTIFY || op === WAKE) return
      write = 0
    }
    const width = view!.BYTES_PER_ELEMENT
    if (width === 4 && this.cells.bytesOf(word) < 0) {
      this.atomicWord(t, op, word, write, site)
      return
    }
    // A store does not read, so it synchronises with nothing.
    if (op !== STORE) for (let at = word; at < word + span; at++) this.acquire(t, at)
    const now = this.clocks[t * MAX_THREADS + t]!
    const byte = view!.byteOffset + index * width
    for (let at = byte; at < byte + width; at++) {
      const bytes = this.splitIfPartial(at >> 2, width < 4)
      if (bytes >= 0) this.atomicCell(t, bytes + (at & 3), width, write, site, at, now)
      else if ((at & 3) === 0) this.atomicCell(t, this.cells.of(at >> 2), width, write, site, at, now)
    }
    if (write === 0) return
    for (let at = word; at < word + span; at++) this.release(t, at)
    // What the thread does from now on is not released by this write.
    this.clocks[t * MAX_THREADS + t]!++
  }

  /** The commonest case: a word of 32 bits that is never accessed in part. */
  private atomicWord(t: number, op: number, word: number, write: number, site: number): void {
    const cell = this.cells.of(word)
    const own = t * MAX_THREADS
    if (op !== STORE && this.stamp[cell] === this.execution) this.join(t, this.released, cell * MAX_THREADS)
    this.atomicCell(t, cell, 4, write, site, word * 4, this.clocks[own + t]!)
    if (write === 0) return
    const at = cell * MAX_THREADS
    for (let q = 0; q < trace.threads; q++) this.released[at + q] = this.clocks[own + q]!
    this.clocks[own + t]!++
  }

  private acquire(t: number, word: number): void {
    const cell = this.cells.of(word)
    if (this.stamp[cell] === this.execution) this.join(t, this.released, cell * MAX_THREADS)
  }

  private release(t: number, word: number): void {
    const cell = this.cells.of(word)
    this.fresh(cell)
    const at = cell * MAX_THREADS
    const own = t * MAX_THREADS
    for (let q = 0; q < trace.threads; q++) this.released[at + q] = this.clocks[own + q]!
  }

  private atomicCell(
    t: number,
    cell: number,
    width: number,
    write: number,
    site: number,
    byte: number,
    now: number,
  ): void {
    this.fresh(cell)
    if (this.anyFreed && this.state[cell] === FREED)
      this.report('use-after-free', t, -1, byte, write ? 'writes' : 'reads', site)
    if (!this.races) return
    if (!this.plainWrites.isEmpty(cell)) this.check(this.plainWrites, cell, t, byte, write, site, 'a plain write')
    if (write && !this.plainReads.isEmpty(cell)) this.check(this.plainReads, cell, t, byte, write, site, 'a plain read')
    const shape = this.shape[cell]!
    if (shape !== width) {
      if (shape !== 0) {
        if (!this.atomicWrites.isEmpty(cell))
          this.check(this.atomicWrites, cell, t, byte, write, site, 'an atomic write of another width')
        if (write && !this.atomicReads.isEmpty(cell))
          this.check(this.atomicReads, cell, t, byte, write, site, 'an atomic read of another width')
      }
      this.shape[cell] = width
    }
    if (write) this.atomicWrites.add(cell, t, now)
    else this.atomicReads.add(cell, t, now)
  }

  private check(
    set: ClockSets,
    cell: number,
    t: number,
    byte: number,
    write: number,
    site: number,
    what: string,
  ): void {
    const other = set.unordered(cell, t, this.clocks)
    if (other >= 0)
      this.report('data-race', t, other, byte, `${write ? 'writes' : 'reads'}, unordered with ${what}`, site)
  }

  private report(kind: FailureKind, thread: number, other: number, byte: number, what: string, site: number): void {
    this.onFinding({ kind, thread, other, byte, what, site })
  }

  private enterWaiters(t: number, word: number): void {
    const own = t * MAX_THREADS
    let clock = this.waiters.get(word)
    if (clock === undefined) this.waiters.set(word, (clock = new Int32Array(MAX_THREADS)))
    this.join(t, clock, 0)
    clock.set(this.clocks.subarray(own, own + MAX_THREADS))
    this.clocks[own + t]!++
  }

  /** First cell of a word's bytes; the word gets such cells when it is accessed in part. -1 if it is tracked as a whole. */
  private splitIfPartial(word: number, partial: boolean): number {
    const bytes = this.cells.bytesOf(word)
    if (bytes >= 0 || !partial) return bytes
    const whole = this.cells.of(word)
    this.fresh(whole)
    const first = this.cells.split(word)
    for (let cell = first; cell < first + 4; cell++) {
      this.fresh(cell)
      this.state[cell] = this.state[whole]!
      this.shape[cell] = this.shape[whole]!
      for (const set of [this.plainWrites, this.plainReads, this.atomicWrites, this.atomicReads]) set.copy(whole, cell)
    }
    return first
  }

  /** A plain access to a whole word. */
  plainWord(t: number, word: number, write: number, site: number): void {
    if (this.cells.bytesOf(word) >= 0) this.plainBytes(t, word * 4, word * 4 + 4, write, site)
    else this.plainCell(t, this.cells.of(word), write, site, word * 4)
  }

  /** A plain access to one byte. */
  plainByte(t: number, byte: number, write: number, site: number): void {
    this.plainCell(t, this.splitIfPartial(byte >> 2, true) + (byte & 3), write, site, byte)
  }

  /** A plain access to the bytes from `start` up to `end`. */
  plainBytes(t: number, start: number, end: number, write: number, site: number): void {
    for (let at = start; at < end;) {
      const word = at >> 2
      const whole = (at & 3) === 0 && end - at >= 4
      const bytes = this.splitIfPartial(word, !whole)
      if (bytes < 0) {
        this.plainCell(t, this.cells.of(word), write, site, at)
        at += 4
      } else {
        this.plainCell(t, bytes + (at & 3), write, site, at)
        at++
      }
    }
  }

  private plainCell(t: number, cell: number, write: number, site: number, byte: number): void {
    this.fresh(cell)
    if (this.anyFreed && this.state[cell] === FREED)
      this.report('use-after-free', t, -1, byte, write ? 'writes' : 'reads', site)
    if (!this.races) return
    const now = this.clocks[t * MAX_THREADS + t]!
    // Seen at this very time of the thread's clock: it was checked then, and nothing has happened to the cell since.
    if ((write ? this.plainWrites : this.plainReads).isOnly(cell, t, now)) return
    if (!this.plainWrites.isEmpty(cell)) this.check(this.plainWrites, cell, t, byte, write, site, 'a plain write')
    if (!this.atomicWrites.isEmpty(cell)) this.check(this.atomicWrites, cell, t, byte, write, site, 'an atomic write')
    if (write) {
      if (!this.plainReads.isEmpty(cell)) this.check(this.plainReads, cell, t, byte, write, site, 'a plain read')
      if (!this.atomicReads.isEmpty(cell)) this.check(this.atomicReads, cell, t, byte, write, site, 'an atomic read')
      this.plainWrites.set(cell, t, now)
    } else this.plainReads.add(cell, t, now)
  }

  private allocate(t: number, word: number, span: number, site: number): void {
    for (let at = word; at < word + span; at++) this.setState(at, LIVE)
    this.blocks.set(word, { words: span, site })
    this.clocks[t * MAX_THREADS + t]!++
  }

  private free(t: number, word: number, span: number, site: number): void {
    if (this.stateOf(word) === FREED) this.report('double-free', t, -1, word * 4, 'frees what is free', site)
    // Whoever still reads while the block is freed uses it after the free in another order of the same steps.
    for (let at = word; at < word + span; at++) {
      const bytes = this.cells.bytesOf(at)
      if (bytes < 0) this.checkFree(this.cells.of(at), t, at * 4, site)
      else for (let i = 0; i < 4; i++) this.checkFree(bytes + i, t, at * 4 + i, site)
    }
    for (let at = word; at < word + span; at++) this.setState(at, FREED)
    this.blocks.delete(word)
    this.anyFreed = true
    this.clocks[t * MAX_THREADS + t]!++
  }

  private checkFree(cell: number, t: number, byte: number, site: number): void {
    this.fresh(cell)
    for (const set of [this.plainWrites, this.plainReads, this.atomicWrites, this.atomicReads]) {
      const other = set.unordered(cell, t, this.clocks)
      if (other >= 0) this.report('use-after-free', t, other, byte, 'frees, unordered with an access', site)
    }
  }

  private stateOf(word: number): number {
    const cell = this.cells.of(word)
    this.fresh(cell)
    return this.state[cell]!
  }

  private setState(word: number, state: number): void {
    const cell = this.cells.of(word)
    this.fresh(cell)
    this.state[cell] = state
    const bytes = this.cells.bytesOf(word)
    if (bytes < 0) return
    for (let at = bytes; at < bytes + 4; at++) {
      this.fresh(at)
      this.state[at] = state
    }
  }
}

export const shadow = new Shadow()
