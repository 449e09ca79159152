/**
 * Makes a failing schedule smaller: fewer switches between threads first, then fewer steps. Blocks of steps of one
 * thread are moved next to others of the same thread, or cut, as long as the same kind of failure still comes out
 * (in the manner of delta debugging, Zeller and Hildebrandt 2002).
 */
import type { Schedule } from './schedule.ts'
import { switchesOf } from './schedule.ts'

/** Runs a schedule leniently. @returns what was really run if it failed in the same way, or undefined */
export type Attempt = (schedule: Schedule) => Schedule | undefined

interface Block {
  readonly thread: number
  readonly steps: number
}

function blocksOf(threads: readonly number[]): Block[] {
  const blocks: Block[] = []
  for (const thread of threads) {
    const last = blocks.at(-1)
    if (last?.thread === thread) blocks[blocks.length - 1] = { thread, steps: last.steps + 1 }
    else blocks.push({ thread, steps: 1 })
  }
  return blocks
}

function threadsOf(blocks: readonly Block[]): number[] {
  return blocks.flatMap(({ thread, steps }) => Array<number>(steps).fill(thread))
}

function isSmaller(a: Schedule, b: Schedule): boolean {
  const switches = switchesOf(a.threads) - switchesOf(b.threads)
  return switches < 0 || (switches === 0 && a.threads.length < b.threads.length)
}

/** Schedules to try instead, most promising first. */
function* candidates(blocks: readonly Block[]): Generator<Block[]> {
  // Run on, and let the rest follow as it will.
  for (let i = 0; i < blocks.length; i++) yield blocks.slice(0, i)
  for (let i = 0; i < blocks.length; i++) {
    const { thread, steps } = blocks[i]!
    const later = blocks.findIndex((block, at) => at > i && block.thread === thread)
    if (later < 0) continue
    const without = blocks.filter((_, at) => at !== later)
    // A later block of the same thread comes at once, or this one comes later.
    yield without.map((block, at) => (at === i ? { thread, steps: steps + blocks[later]!.steps } : block))
    yield blocks
      .map((block, at) => (at === later ? { thread, steps: steps + block.steps } : block))
      .filter((_, at) => at !== i)
  }
  // One step more or less before a switch.
  for (let i = 0; i < blocks.length; i++) {
    if (blocks[i]!.steps > 1) {
      yield blocks.map((block, at) => (at === i ? { thread: block.thread, steps: block.steps - 1 } : block))
    }
  }
}

/**
 * @param budget most attempts
 * @returns the smallest schedule found that fails in the same way
 */
export function minimize(failing: Schedule, attempt: Attempt, budget: number): Schedule {
  let best = failing
  let left = budget
  for (let improved = true; improved;) {
    improved = false
    for (const blocks of candidates(blocksOf(best.threads))) {
      if (left-- <= 0) return best
      const ran = attempt({ ...best, threads: threadsOf(blocks), ops: [] })
      if (ran !== undefined && isSmaller(ran, best)) {
        best = ran
        improved = true
        break
      }
    }
  }
  return best
}
