/**
 * The soak's own shared words, apart from any store: orders from the program to its workers, and what each worker says
 * that it is about to do and has done. They outlive a killed worker, so that nothing it had finished may be missing.
 *
 *     word 0                 command
 *     word 1                 violations found by workers
 *     word 2                 beat: counts up as long as the program itself gets on; negative when it has ended
 *     from word 4 on         one block per slot; a slot is the place of one worker and of those that replace it
 *
 *     block + 0              state
 *     block + 1              operations
 *     block + 2              full: operations refused for want of room
 *     block + 3              sequence: numbers for values, never used twice
 *     block + 4, 5           pending write in the slot's private range: key index + 1 (0 = none), and its new state
 *     block + 6 ...          per tally: amount intended, amount done
 *     ...                    per private key: its state (0 = absent, otherwise the sequence number of its value)
 *
 * Every word of a block has one writer, the slot's worker of the moment, or the program while there is none.
 */
import { PRIVATE_KEYS, TALLIES } from './plan.ts'

export const RUN = 0
export const PAUSE = 1
/** The store is cleared at any moment: only checks that bear this. */
export const STORM = 2
export const STOP = 3

export const STARTING = 0
export const RUNNING = 1
export const PAUSED = 2

const COMMAND = 0
const VIOLATIONS = 1
const BEAT = 2
const HEADER_WORDS = 4

const STATE = 0
const OPERATIONS = 1
const FULL = 2
const SEQUENCE = 3
const PENDING_KEY = 4
const PENDING_STATE = 5
const TALLY = 6
const PRIVATE = TALLY + 2 * TALLIES
const BLOCK_WORDS = PRIVATE + PRIVATE_KEYS

const MS_ASLEEP = 1000
const ENDED = -1

export class Control {
  readonly buffer: SharedArrayBuffer
  readonly slots: readonly Slot[]
  private readonly words: Int32Array

  constructor(shared: SharedArrayBuffer | number) {
    this.buffer = typeof shared === 'number' ? new SharedArrayBuffer((HEADER_WORDS + shared * BLOCK_WORDS) * 4) : shared
    this.words = new Int32Array(this.buffer)
    const count = (this.words.length - HEADER_WORDS) / BLOCK_WORDS
    this.slots = Array.from({ length: count }, (_, i) => new Slot(this.words, HEADER_WORDS + i * BLOCK_WORDS))
  }

  command(): number {
    return Atomics.load(this.words, COMMAND)
  }

  give(command: number): void {
    Atomics.store(this.words, COMMAND, command)
    Atomics.notify(this.words, COMMAND)
  }

  /** Sleeps until the command is no longer PAUSE. */
  sleepWhilePaused(): void {
    while (Atomics.load(this.words, COMMAND) === PAUSE) Atomics.wait(this.words, COMMAND, PAUSE, MS_ASLEEP)
  }

  violations(): number {
    return Atomics.load(this.words, VIOLATIONS)
  }

  countViolation(): void {
    Atomics.add(this.words, VIOLATIONS, 1)
  }

  /** The program gets on. */
  beat(): void {
    Atomics.add(this.words, BEAT, 1)
  }

  end(): void {
    Atomics.store(this.words, BEAT, ENDED)
    Atomics.notify(this.words, BEAT)
  }

  /** For the watchdog: false if there was no beat for so long, true once the program has ended. */
  watchUntilEnd(limitMs: number): boolean {
    for (;;) {
      const beat = Atomics.load(this.words, BEAT)
      if (beat === ENDED) return true
      const until = performance.now() + limitMs
      while (Atomics.load(this.words, BEAT) === beat) {
        if (performance.now() > until) return false
        Atomics.wait(this.words, BEAT, beat, MS_ASLEEP)
      }
    }
  }

  /** Amounts added to one tally by all slots: certainly, and at most. Certain is read first: a running worker may get on. */
  done(tally: number): number {
    let sum = 0
    for (const slot of this.slots) sum += slot.done(tally)
    return sum
  }

  intended(tally: number): number {
    let sum = 0
    for (const slot of this.slots) sum += slot.intended(tally)
    return sum
  }

  /** A new round on an empty store. No worker may be there. Sequence numbers go on. */
  reset(): void {
    for (const slot of this.slots) slot.reset()
  }
}

export class Slot {
  private readonly words: Int32Array
  private readonly base: number

  constructor(words: Int32Array, base: number) {
    this.words = words
    this.base = base
  }

  state(): number {
    return this.load(STATE)
  }

  setState(state: number): void {
    this.store(STATE, state)
  }

  operations(): number {
    return this.load(OPERATIONS)
  }

  countOperation(): void {
    this.store(OPERATIONS, this.load(OPERATIONS) + 1)
  }

  full(): number {
    return this.load(FULL)
  }

  countFull(): void {
    this.store(FULL, this.load(FULL) + 1)
  }

  nextSequence(): number {
    const next = this.load(SEQUENCE) + 1
    this.store(SEQUENCE, next)
    return next
  }

  /** Before an operation that adds to a tally. */
  announce(tally: number, amount: number): void {
    this.store(TALLY + 2 * tally, this.load(TALLY + 2 * tally) + amount)
  }

  /** After it, if it happened. */
  settle(tally: number, amount: number): void {
    this.store(TALLY + 2 * tally + 1, this.load(TALLY + 2 * tally + 1) + amount)
  }

  /** After it, if it did not. */
  withdraw(tally: number, amount: number): void {
    this.store(TALLY + 2 * tally, this.load(TALLY + 2 * tally) - amount)
  }

  intended(tally: number): number {
    return this.load(TALLY + 2 * tally)
  }

  done(tally: number): number {
    return this.load(TALLY + 2 * tally + 1)
  }

  privateState(key: number): number {
    return this.load(PRIVATE + key)
  }

  /** Before a write to a private key. */
  announcePrivate(key: number, state: number): void {
    this.store(PENDING_STATE, state)
    this.store(PENDING_KEY, key + 1)
  }

  /** After it, with the state that the key is in now. */
  settlePrivate(key: number, state: number): void {
    this.store(PRIVATE + key, state)
    this.store(PENDING_KEY, 0)
  }

  /** What the slot's last worker was writing when it was killed, if it was. */
  pending(): { key: number; state: number } | undefined {
    const key = this.load(PENDING_KEY)
    return key === 0 ? undefined : { key: key - 1, state: this.load(PENDING_STATE) }
  }

  reset(): void {
    const sequence = this.load(SEQUENCE)
    for (let i = 0; i < BLOCK_WORDS; i++) this.store(i, 0)
    this.store(SEQUENCE, sequence)
  }

  private load(word: number): number {
    return Atomics.load(this.words, this.base + word)
  }

  private store(word: number, value: number): void {
    Atomics.store(this.words, this.base + word, value)
  }
}
