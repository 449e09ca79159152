/**
 * Epoch-based reclamation (Fraser 2004, in the shape of crossbeam-epoch), for participants that come, go and die.
 *
 * Safety argument. Let E be the global epoch; it only grows (mod 2^28).
 *  1. `enter` stores the participant's state (an epoch it loaded from E, and the pin bit) before it loads any shared
 *     reference. All accesses are sequentially consistent, so an advancer that reads the state afterwards sees the pin.
 *  2. E is advanced from e to e + 1 by CAS, after every pinned participant was seen to announce e.
 *  3. While a participant stays pinned, E advances at most once past the value it had at the participant's store: one
 *     advancer may have read the state before the store; any advancer that starts from the new value reads it after,
 *     sees an older epoch, and gives up. This holds also if the announced epoch was stale when it was stored.
 *  4. Something is retired after the CAS that unlinked it, with a tag t that is read from E after that CAS. A participant
 *     that can hold a reference to it was pinned when it was still linked, hence when E was some g <= t. By 3, E stays
 *     below g + 2 <= t + 2 until that participant leaves.
 *  5. The action runs only when E >= t + 2. So nobody who could hold a reference is still pinned.
 *
 * Progress: enter, leave, retire are wait-free apart from the amortised work; a pinned participant that does not run
 * holds up reclamation, never operations. A dead one holds it up until it is reaped (see reaper.ts).
 * Nothing here is freed inside an open pin of the caller's own.
 */
import { assert } from '../memory/assert.ts'
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_EPOCH } from '../memory/layout.ts'
import { type Execute, GarbageLists } from './garbage.ts'
import { COUNTER, type Participant, STATE, slotAt, slotsUsed } from './participant.ts'
import { abdicate, finishDraining, reapThread } from './reaper.ts'
import { type Handler, OPS, type ReapHook, type Scheme } from './scheme.ts'

const EPOCH_MASK = 0x0fffffff
/** Outermost leaves between two rounds of maintenance. */
const LEAVES_PER_ROUND = 128
/** Retires after which the next outermost leave does a round at once. */
const RETIRES_PER_ROUND = 64
const ROUND_BUDGET = 64
/** Rounds between two visits to everybody's lists, so that what idle participants retired is freed too. */
const ROUNDS_PER_VISIT = 8

function unregistered(): void {
  assert(false, 'a deferred action has no handler in this thread')
}

export class EpochScheme implements Scheme {
  readonly name: string = 'epoch'
  readonly reclaims: boolean = true
  readonly label: number
  protected readonly arena: Arena
  protected readonly me: Participant
  private readonly words: Int32Array
  private readonly state: number
  protected readonly lists: GarbageLists
  private readonly handlers: Handler[] = []
  private readonly hooks: ReapHook[] = []
  private depth = 0
  private leaves = 0
  private retires = 0
  private rounds = 0
  private busy = false
  protected readonly run: Execute

  constructor(arena: Arena, me: Participant) {
    this.arena = arena
    this.me = me
    this.label = me.label
    this.words = arena.words
    this.state = me.at + STATE
    this.lists = new GarbageLists(arena)
    assert(this.lists.start(me.at, me.label), 'no garbage chunk is left for a new participant')
    for (let op = 0; op < OPS; op++) this.handlers.push(unregistered)
    this.run = (op, argument, epoch) => {
      this.handlers[op](argument, epoch)
      this.me.count(COUNTER.freed, 1)
    }
  }

  enter(): void {
    // The depth grows last: should a call throw for want of stack, no critical region is left open by count.
    if (this.depth === 0) Atomics.store(this.words, this.state, (Atomics.load(this.words, GLOBAL_EPOCH) << 1) | 1)
    this.depth++
  }

  leave(): void {
    if (--this.depth !== 0) return
    Atomics.store(this.words, this.state, 0)
    if (++this.leaves >= LEAVES_PER_ROUND) this.round()
  }

  repin(): void {
    if (this.depth !== 1) return
    Atomics.store(this.words, this.state, 0)
    Atomics.store(this.words, this.state, (Atomics.load(this.words, GLOBAL_EPOCH) << 1) | 1)
  }

  protect(): void {}

  valid(): boolean {
    return true
  }

  pinned(): boolean {
    return this.depth > 0
  }

  epoch(): number {
    return Atomics.load(this.words, GLOBAL_EPOCH)
  }

  retire(op: number, argument: number, epoch: number): void {
    const kept = this.lists.append(this.me.at, this.label, op, argument, epoch)
    assert(kept, 'the pool of garbage chunks is exhausted')
    this.me.count(COUNTER.retired, 1)
    if (++this.retires >= RETIRES_PER_ROUND) this.leaves = LEAVES_PER_ROUND
  }

  register(op: number, handler: Handler): void {
    this.handlers[op] = handler
  }

  onReap(hook: ReapHook): void {
    this.hooks.push(hook)
  }

  private round(): void {
    this.leaves = 0
    this.retires = 0
    if (this.busy) return
    this.tryAdvance()
    if (++this.rounds % ROUNDS_PER_VISIT === 0) this.collect(ROUND_BUDGET)
    else this.consume(this.me.at, ROUND_BUDGET)
  }

  /** Moves the epoch on by one if every pinned participant has announced the current one. */
  tryAdvance(): boolean {
    const { words, arena } = this
    const epoch = Atomics.load(words, GLOBAL_EPOCH)
    const used = slotsUsed(arena)
    for (let slot = 0; slot < used; slot++) {
      const state = Atomics.load(words, slotAt(arena, slot) + STATE)
      if ((state & 1) !== 0 && state >>> 1 !== epoch) return false
    }
    return Atomics.compareExchange(words, GLOBAL_EPOCH, epoch, (epoch + 1) & EPOCH_MASK) === epoch
  }

  private consume(slot: number, budget: number): number {
    if (this.busy) return 0
    this.busy = true
    try {
      return this.lists.consume(slot, this.label, this.epoch(), budget, this.run)
    } finally {
      this.busy = false
    }
  }

  collect(budget: number): number {
    const { arena } = this
    const used = slotsUsed(arena)
    let run = 0
    for (let slot = 0; slot < used && run < budget; slot++) {
      run += this.consume(slotAt(arena, slot), budget - run)
      finishDraining(arena, this.lists, slot, this.me.slot, this.label)
    }
    return run
  }

  flush(): number {
    for (let i = 0; i < 4; i++) {
      this.tryAdvance()
      this.collect(Number.MAX_SAFE_INTEGER)
    }
    return this.waiting()
  }

  /** Other participants that are pinned now. */
  others(): number {
    const { words, arena, me } = this
    const used = slotsUsed(arena)
    let pinned = 0
    for (let slot = 0; slot < used; slot++) {
      if (slot !== me.slot) pinned += Atomics.load(words, slotAt(arena, slot) + STATE) & 1
    }
    return pinned
  }

  /** Deferred actions not yet run, of all participants. */
  waiting(): number {
    let waiting = 0
    const used = slotsUsed(this.arena)
    for (let slot = 0; slot < used; slot++) waiting += this.lists.waiting(slotAt(this.arena, slot))
    return waiting
  }

  detach(): void {
    assert(this.depth === 0, 'a participant detached inside a critical region')
    this.enter()
    for (let i = 0; i < this.hooks.length; i++) this.hooks[i](this.me.at, this.label)
    this.leave()
    this.flush()
    abdicate(this.arena, this.me)
    const { arena, lists, me } = this
    finishDraining(arena, lists, me.slot, me.slot, me.label, me.name)
  }

  reap(threadId: number): number {
    const reaped = reapThread(this, this.arena, this.me, threadId, this.hooks)
    if (reaped > 0) this.flush()
    return reaped
  }
}
