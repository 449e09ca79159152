/**
 * One search, dealt out to several JavaScript threads. Each of them finds the same prefixes of executions, by exploring
 * everything above a depth; then it takes one prefix after the other, by a counter that all share, and explores what
 * lies below. What is found below cannot ask for anything above, since that is explored in full: so nothing is missed,
 * at the price of some executions that one thread alone would have saved.
 */
import type { SavedChoices } from './choices.ts'
import { Dpor } from './dpor.ts'

/** Prefixes for each thread, so that all end at about the same time. */
const PREFIXES_EACH = 16
const DEEPEST = 64
/** Counters: one for each part of the search, by its number. */
export const DEAL_WORDS = 4096

export interface Deal {
  /** DEAL_WORDS words, zeroed, shared by all who search. */
  readonly counters: SharedArrayBuffer
  /** How many search, and the number of this one from 0. */
  readonly workers: number
  readonly worker: number
}

/**
 * Finds the prefixes.
 * @param run runs one execution under a strategy; false if it failed
 * @returns the prefixes, or undefined if an execution failed meanwhile
 */
export function prefixesOf(
  words: number,
  workers: number,
  run: (strategy: Dpor) => boolean,
): SavedChoices[] | undefined {
  for (let cut = 4; ; cut += 4) {
    const found: SavedChoices[] = []
    const strategy = new Dpor(words)
    strategy.cut = cut
    strategy.onCut = () => {
      const saved = strategy.choices.save()
      found.push({ ...saved, floor: saved.chosen.length, asleepBelow: strategy.sleepers })
    }
    do {
      if (!run(strategy)) return undefined
    } while (strategy.choices.backtrack())
    // Nothing below the cut: the search is over already.
    if (found.length === 0 || found.length >= PREFIXES_EACH * workers || cut >= DEEPEST) return found
  }
}

/** The number of the next prefix that nobody has taken. */
export function take({ counters }: Deal, part: number): number {
  return deal(new Int32Array(counters), part % DEAL_WORDS)
}

function deal(words: Int32Array, at: number): number {
  return Atomics.add(words, at, 1)
}
