/**
 * What is done when memory runs short in a store that has tables below its tree: the tree is made partial, what is clean leaves
 * it, and a flush is asked for when too little is clean.
 *
 * The way from a complete tree to a partial one goes in steps (tree/transition.ts), some of them in each round.
 *
 * Thread safety: one Pressure belongs to one participant. Not inside critical regions. Progress: lock-free, but for the flush
 * that is waited for, with a limit. Death: leaves nothing.
 */
import { Transition } from '../tree/transition.ts'
import type { Engine } from './engine.ts'

/** Share of the memory in use at which the tree becomes partial, and at which eviction begins and ends. */
const PARTIAL_AT = 0.7
const HIGH = 0.8
const LOW = 0.75
/** Leaves that are gone over in a round of the cleaner's, between two looks at the load, and for a writer without room. */
const ROUND_LEAVES = 512
const LOOK_LEAVES = 32
const RELIEF_LEAVES = 64
/** Longest wait of a writer without room for a flush; then it looks for room again, some forty times. */
const WAIT_MS = 100

/** Of the rounds while a flush is waited for, one in so many looks whether something may leave all the same. */
const IDLE_ROUNDS = 32

const NOT_YET = -1

export class Pressure {
  /** Asks for a flush; set by who can see to it. Without it, a complete tree stays complete. */
  askFlush: (() => void) | null = null
  private readonly engine: Engine
  private readonly transition: Transition
  /** CLEAN when a flush was asked for last. */
  private askedAt = NOT_YET
  private idle = 0
  /** Waits of `relieve` in a row in which no flush was done. */
  waits = 0

  constructor(engine: Engine) {
    this.engine = engine
    this.transition = new Transition(engine.scheme, engine.tree.context.residence)
  }

  /** Asks for a flush. Asking again does no harm. */
  private ask(): void {
    this.askedAt = this.engine.tree.context.residence.cleanCounter()
    this.askFlush?.()
  }

  /**
   * What the background cleaner does in each round.
   * @returns whether something has left the tree, so that another round may be worth it at once
   */
  round(): boolean {
    const { engine } = this
    const { residence } = engine.tree.context
    if (!residence.hasBelow) return false
    if (!residence.isPartial()) {
      if (this.askFlush !== null && engine.cleaner.load() > PARTIAL_AT) this.goOn()
      return false
    }
    return engine.cleaner.load() > HIGH && this.evict()
  }

  /** Whether what comes into the tree has to drive something else out. O(segments). */
  isShort(): boolean {
    return this.engine.cleaner.load() > LOW
  }

  private evict(): boolean {
    const { evictor, cleaner, tree } = this.engine
    // Nothing was clean the last time, and no flush has come since; but a snapshot may have ended.
    if (this.askedAt === tree.context.residence.cleanCounter() && ++this.idle % IDLE_ROUNDS !== 0) return false
    const before = evictor.counts.words
    for (let leaves = 1; leaves <= ROUND_LEAVES; leaves++) {
      evictor.step(true)
      if (leaves % LOOK_LEAVES === 0 && cleaner.load() < LOW) break
    }
    const left = evictor.counts.words - before
    // What is left behind has to become clean first. A hand that has only taken marks comes by again.
    if (left === 0) this.ask()
    return left > 0
  }

  /**
   * For an append that finds no room: has what is clean leave, or waits for a flush. If none comes for a while, what snapshots keep
   * may be all there is: then the caller should see to that, too.
   * @returns whether it is worth trying again, see also `waits`
   */
  relieve(): boolean {
    const { evictor, tree } = this.engine
    const { residence } = tree.context
    if (!residence.hasBelow) return false
    const clean = residence.cleanCounter()
    if (!residence.isPartial()) {
      if (this.askFlush === null) return false
      this.goOn()
      this.wait(clean)
      return true
    }
    const before = evictor.counts.words
    for (let leaves = 0; leaves < RELIEF_LEAVES; leaves++) evictor.step(false)
    if (evictor.counts.words > before) {
      this.waits = 0
      return true
    }
    this.ask()
    if (this.askFlush !== null) this.wait(clean)
    return this.askFlush !== null
  }

  private wait(clean: number): void {
    const { residence } = this.engine.tree.context
    residence.waitClean(clean, WAIT_MS)
    this.waits = residence.cleanCounter() === clean ? this.waits + 1 : 0
  }

  /** Takes the next steps from a complete tree to a partial one, if they can be taken. */
  goOn(): void {
    if (this.transition.step()) this.ask()
  }
}
