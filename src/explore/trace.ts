/**
 * The steps of the present execution, as columns of numbers: nothing is allocated per step.
 *
 * A row is overwritten by the next execution; as long as that repeats a prefix, the old row tells what must happen again.
 */
import { MAX_THREADS } from './events.ts'

const FIRST_CAPACITY = 2048

export class Trace {
  capacity = FIRST_CAPACITY
  /** Threads of this execution, a reaper included: of each row only so much is used. */
  threads = MAX_THREADS
  /** Steps taken so far. */
  depth = 0
  thread = new Int8Array(FIRST_CAPACITY)
  op = new Uint8Array(FIRST_CAPACITY)
  /** First word touched, or -1. */
  word = new Int32Array(FIRST_CAPACITY)
  /** Number of words touched. */
  span = new Int32Array(FIRST_CAPACITY)
  /** 1 if the step changed memory, or could have for all that others can tell. */
  write = new Uint8Array(FIRST_CAPACITY)
  site = new Int32Array(FIRST_CAPACITY)
  /** The result, as 32 bits; of the words 'ok', 'not-equal' and 'timed-out' their length. */
  result = new Int32Array(FIRST_CAPACITY)
  /** Number of the step among its thread's, from 1. */
  position = new Int32Array(FIRST_CAPACITY)
  /** For each thread, the position of its last step that happened before this one (the step itself included). */
  clock = new Int32Array(FIRST_CAPACITY * MAX_THREADS)
  /** Words whose change a spinning thread waited for with this step. */
  awaited: (readonly number[] | undefined)[] = []
  /** For each thread, its steps so far, and the rows at which they stand. */
  readonly count = new Int32Array(MAX_THREADS)
  readonly rows: Int32Array[] = Array.from({ length: MAX_THREADS }, () => new Int32Array(FIRST_CAPACITY))

  clear(threads: number): void {
    this.threads = threads
    this.depth = 0
    fillRow(this.count, 0, 0)
  }

  /** Row of a thread's step by its position, from 1. */
  rowOf(thread: number, position: number): number {
    return this.rows[thread]![position]!
  }

  /** Makes room for one more step. */
  reserve(): void {
    if (this.depth + 2 < this.capacity) return
    const capacity = this.capacity * 2
    this.thread = grown(this.thread, new Int8Array(capacity))
    this.op = grown(this.op, new Uint8Array(capacity))
    this.word = grown(this.word, new Int32Array(capacity))
    this.span = grown(this.span, new Int32Array(capacity))
    this.write = grown(this.write, new Uint8Array(capacity))
    this.site = grown(this.site, new Int32Array(capacity))
    this.result = grown(this.result, new Int32Array(capacity))
    this.position = grown(this.position, new Int32Array(capacity))
    this.clock = grown(this.clock, new Int32Array(capacity * MAX_THREADS))
    for (let t = 0; t < MAX_THREADS; t++) this.rows[t] = grown(this.rows[t]!, new Int32Array(capacity))
    this.capacity = capacity
  }

  /** The threads in the order of their steps. */
  schedule(): number[] {
    return Array.from(this.thread.subarray(0, this.depth))
  }
}

export function grown<T extends Int8Array | Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Sets a row of one number for each thread. A loop, since the built-in functions are watched during an exploration. */
export function fillRow(rows: Int32Array, row: number, value: number): void {
  const at = row * MAX_THREADS
  for (let t = 0; t < MAX_THREADS; t++) rows[at + t] = value
}

export const trace = new Trace()
