/**
 * Garbage lists: what a participant has retired, in order, until its epoch has passed.
 *
 * A list is a chain of chunks. The owner of the slot appends; whoever holds the slot's consumer claim takes from the
 * front (the owner, an active neighbour on behalf of an idle owner, the reaper's successor of a dead one).
 *
 *   chunk:  0 owner (0 = free, else label + 1)   1 next chunk   2 entries published   4.. entries of two words
 *   entry:  argument (32 bits), opcode << 28 | epoch
 *
 * Publication: entry words are plain stores, made visible by the atomic store of the chunk's count, which consumers load
 * first. A chunk is freed only when it has a successor, that is, after the owner's last store to it.
 *
 * Chunks come from a pool without a list, hence without ABA: allocation CASes the owner word of a free one. The pool
 * holds room for every page id and every segment at once, so only user opcodes can exhaust it.
 *
 * Death: entries not yet consumed stay and are consumed by others; an entry whose handler ran but whose index was not
 * advanced runs again, so handlers are idempotent. A chunk that was emptied but not freed keeps its label and is found
 * when the slot is given up.
 */
import type { Arena } from '../memory/arena.ts'
import { CHUNK_WORDS } from '../memory/layout.ts'
import { CONSUMER, GARBAGE_HEAD, GARBAGE_TAIL } from './participant.ts'

const OWNER = 0
const NEXT = 1
const COUNT = 2
const ENTRIES = 4
export const ENTRIES_PER_CHUNK = (CHUNK_WORDS - ENTRIES) / 2
const INDEX_BITS = 8
const EPOCH_MASK = 0x0fffffff

/** Runs one deferred action. Idempotent, bound to no thread, and must not throw. */
export type Execute = (op: number, argument: number, epoch: number) => void

/** Whether what was retired in `epoch` is out of every reader's reach now. Sound across the wrap of 28 bits. */
export function hasPassed(epoch: number, now: number): boolean {
  const distance = (now - epoch) & EPOCH_MASK
  return distance >= 2 && distance < 0x08000000
}

export class GarbageLists {
  private readonly words: Int32Array
  private readonly chunksAt: number
  private readonly chunks: number
  private hint = 0

  constructor(arena: Arena) {
    this.words = arena.words
    this.chunksAt = arena.layout.chunksAt
    this.chunks = arena.layout.chunks
  }

  private at(chunk: number): number {
    // Chunks are numbered from 1 so that 0 means none.
    return this.chunksAt + (chunk - 1) * CHUNK_WORDS
  }

  private allocate(label: number): number {
    const { words, chunks } = this
    for (let i = 0; i < chunks; i++) {
      const chunk = ((this.hint + i) % chunks) + 1
      if (Atomics.compareExchange(words, this.at(chunk) + OWNER, 0, label + 1) !== 0) continue
      this.hint = chunk % chunks
      Atomics.store(words, this.at(chunk) + NEXT, 0)
      Atomics.store(words, this.at(chunk) + COUNT, 0)
      return chunk
    }
    return 0
  }

  /** Gives a new owner of a slot its first chunk. @returns false if the pool is exhausted */
  start(slot: number, label: number): boolean {
    const chunk = this.allocate(label)
    if (chunk === 0) return false
    Atomics.store(this.words, slot + GARBAGE_HEAD, chunk << INDEX_BITS)
    Atomics.store(this.words, slot + GARBAGE_TAIL, chunk)
    return true
  }

  /**
   * Appends an entry to the owner's list. Only the owner calls it.
   * @returns false if the list needed a chunk and none was left
   */
  append(slot: number, label: number, op: number, argument: number, epoch: number): boolean {
    const { words } = this
    let tail = Atomics.load(words, slot + GARBAGE_TAIL)
    let count = Atomics.load(words, this.at(tail) + COUNT)
    if (count === ENTRIES_PER_CHUNK) {
      const fresh = this.allocate(label)
      if (fresh === 0) return false
      Atomics.store(words, this.at(tail) + NEXT, fresh)
      Atomics.store(words, slot + GARBAGE_TAIL, fresh)
      tail = fresh
      count = 0
    }
    const entry = this.at(tail) + ENTRIES + 2 * count
    words[entry] = argument
    words[entry + 1] = (op << 28) | epoch
    // Publishes the entry to consumers.
    Atomics.store(words, this.at(tail) + COUNT, count + 1)
    return true
  }

  /**
   * Runs what has passed at the front of a slot's list, at most `budget` entries.
   * @returns entries run; 0 also when another thread is consuming this list
   */
  consume(slot: number, label: number, now: number, budget: number, execute: Execute): number {
    const { words } = this
    if (Atomics.load(words, slot + GARBAGE_HEAD) === 0) return 0
    // The caller's own claim can only be left from a call that threw for want of stack: go on with it.
    const consumer = Atomics.compareExchange(words, slot + CONSUMER, 0, label + 1)
    if (consumer !== 0 && consumer !== label + 1) return 0
    let run = 0
    let head = Atomics.load(words, slot + GARBAGE_HEAD)
    while (head !== 0 && run < budget) {
      const chunk = head >>> INDEX_BITS
      const index = head & ((1 << INDEX_BITS) - 1)
      if (index === ENTRIES_PER_CHUNK) {
        const next = Atomics.load(words, this.at(chunk) + NEXT)
        if (next === 0) break
        head = next << INDEX_BITS
        Atomics.store(words, slot + GARBAGE_HEAD, head)
        Atomics.store(words, this.at(chunk) + OWNER, 0)
        continue
      }
      if (index >= Atomics.load(words, this.at(chunk) + COUNT)) break
      const entry = this.at(chunk) + ENTRIES + 2 * index
      // Plain loads: ordered after the owner's stores by the count just loaded; immutable since.
      const tagged = words[entry + 1]
      if (!hasPassed(tagged & EPOCH_MASK, now)) break
      execute(tagged >>> 28, words[entry], tagged & EPOCH_MASK)
      head++
      run++
      Atomics.store(words, slot + GARBAGE_HEAD, head)
    }
    Atomics.compareExchange(words, slot + CONSUMER, label + 1, 0)
    return run
  }

  /** Entries waiting in a slot's list. Walks the chain; not a snapshot. */
  waiting(slot: number): number {
    const { words } = this
    const head = Atomics.load(words, slot + GARBAGE_HEAD)
    if (head === 0) return 0
    let count = -(head & ((1 << INDEX_BITS) - 1))
    let chunk = head >>> INDEX_BITS
    for (let i = 0; chunk !== 0 && i < this.chunks; i++) {
      count += Atomics.load(words, this.at(chunk) + COUNT)
      chunk = Atomics.load(words, this.at(chunk) + NEXT)
    }
    return Math.max(0, count)
  }

  /**
   * Frees the chunks of a slot that has been given up, once its list is empty.
   * @returns whether the list was empty and is gone
   */
  dispose(slot: number, label: number, by: number): boolean {
    const { words } = this
    if (Atomics.compareExchange(words, slot + CONSUMER, 0, by + 1) !== 0) return false
    const empty = this.waiting(slot) === 0
    if (empty) {
      Atomics.store(words, slot + GARBAGE_HEAD, 0)
      Atomics.store(words, slot + GARBAGE_TAIL, 0)
      for (let chunk = 1; chunk <= this.chunks; chunk++) {
        Atomics.compareExchange(words, this.at(chunk) + OWNER, label + 1, 0)
      }
    }
    Atomics.compareExchange(words, slot + CONSUMER, by + 1, 0)
    return empty
  }
}
