import type { Gate } from './crew.ts'

export interface StormData {
  readonly words: SharedArrayBuffer
  readonly slots: number
  readonly counters: number
  readonly slot: number
  readonly seed: number
  readonly bigValues: boolean
  readonly gate: Gate
}

export function counterKey(counter: number): string {
  return `counter ${counter}`
}

/** Groups of keys of which all hold the same at any moment, or none is there. */
export const groups = 3

/** Keys of a group: spread between all others, in no order. */
export function groupKeys(group: number): string[] {
  return [7, 2, 11, 0, 5].map((i) => `${i % 2 === 0 ? 'counter' : 'shared'} ${i} of group ${group}`)
}

export function assertOneValue(found: readonly (string | undefined)[]): void {
  if (new Set(found).size > 1) throw new Error(`a group holds ${found.map((value) => value?.trim()).join(', ')}`)
}

/** What the workers of a storm tell in shared memory, where it outlives them. */
export class StormWords {
  readonly #words: Int32Array
  readonly #slots: number

  constructor(buffer: SharedArrayBuffer, slots: number, counters: number) {
    this.#words = new Int32Array(buffer)
    this.#slots = slots
    if (this.#words.length < slots * 2 + counters) throw new Error('too few words')
  }

  static create(slots: number, counters: number): SharedArrayBuffer {
    return new SharedArrayBuffer((slots * 2 + counters) * 4)
  }

  begin(slot: number, counter: number): void {
    Atomics.store(this.#words, this.#slots + slot, counter + 1)
  }

  end(slot: number, counter: number): void {
    Atomics.add(this.#words, this.#slots * 2 + counter, 1)
    Atomics.store(this.#words, this.#slots + slot, 0)
  }

  finished(slot: number): void {
    Atomics.add(this.#words, slot, 1)
  }

  /** How many operations the workers of a slot have finished. */
  operations(slot: number): number {
    return Atomics.load(this.#words, slot)
  }

  /** How often a counter was certainly added to. */
  done(counter: number): number {
    return Atomics.load(this.#words, this.#slots * 2 + counter)
  }

  /** The counter that the slot's dead worker was adding to, or -1; and forgets it. */
  takeInFlight(slot: number): number {
    return Atomics.exchange(this.#words, this.#slots + slot, 0) - 1
  }
}
