/**
 * A lock-free free list (Treiber's stack) of things that are recycled under epochs: page ids, segments.
 *
 * Thread safety: any thread may pop and push. Progress: lock-free.
 *
 * ABA: a popper reads head and link and then CASes the head. It must be pinned, and a thing is pushed only after the
 * epoch in which it was retired has passed for everyone; so whatever a popper has seen on the list cannot leave it and
 * come back while the popper is pinned. A tag in the head would only make the wrap rarer.
 *
 * Death: a popper announces what it is about to unlink in its participant slot, unlinks it by CAS of the head and then
 * claims it by CAS of its ownership word; a pusher marks the thing PUSHING before it links it. A thing in limbo (FREE or
 * PUSHING, but on no list) is therefore named by the dead thread's slot or label, and `rescue` gets it back. Should a
 * live popper stand between its two CASes on the same thing, the ownership word decides who gets it.
 */
import { FREE, FRESH, held, isClaimable, isPushing, isRetired, pushing, retired } from './ownership.ts'
import { hasPassed } from './garbage.ts'
import type { Scheme } from './scheme.ts'

/** Looks at a thing that another thread is pushing before a rescuer leaves it, perhaps lost, to `recoverLost`. */
const PUSH_PATIENCE = 1000

export class FreeList {
  private readonly words: Int32Array
  private readonly head: number
  private readonly fresh: number
  private readonly stateAt: number
  private readonly linkAt: number
  private readonly stride: number
  private readonly scheme: Scheme
  private readonly op: number
  /** Readies a thing for its next use, by whoever won the right to push it. */
  prepare: ((thing: number) => void) | null = null
  /** Things are numbered first..end-1; 0 is never one. */
  readonly first: number
  readonly end: number

  /**
   * @param op the opcode under which retired things come back to `push`
   * @param head word of the stack's top (0 = empty)
   * @param fresh word that counts the things ever used, as an offset from `first`
   * @param stateAt word of thing 0's ownership state (things below `first` need not exist)
   * @param linkAt word of thing 0's link
   * @param stride words between one thing's state and the next one's
   */
  constructor(
    words: Int32Array,
    scheme: Scheme,
    op: number,
    head: number,
    fresh: number,
    stateAt: number,
    linkAt: number,
    stride: number,
    first: number,
    end: number,
  ) {
    this.words = words
    this.scheme = scheme
    this.op = op
    this.head = head
    this.fresh = fresh
    this.stateAt = stateAt
    this.linkAt = linkAt
    this.stride = stride
    this.first = first
    this.end = end
  }

  /** The ownership word of a thing. */
  stateOf(thing: number): number {
    return this.stateAt + thing * this.stride
  }

  private linkOf(thing: number): number {
    return this.linkAt + thing * this.stride
  }

  /** One past the last thing ever handed out. Moves the mark on if its taker died before it did. */
  used(): number {
    const { words } = this
    for (;;) {
      const offset = Atomics.load(words, this.fresh)
      const thing = this.first + offset
      if (thing >= this.end || Atomics.load(words, this.stateOf(thing)) === FRESH) return thing
      Atomics.compareExchange(words, this.fresh, offset, offset + 1)
    }
  }

  /**
   * Takes a thing, recycled ones first; its state becomes HELD by the caller, who is pinned.
   * @param intent word in the caller's participant slot where the pop is announced
   * @returns the thing, or 0 when none is left
   */
  pop(intent: number): number {
    const { words } = this
    const { label } = this.scheme
    for (;;) {
      const top = Atomics.load(words, this.head)
      if (top === 0) return this.popFresh(label)
      Atomics.store(words, intent, top)
      const next = Atomics.load(words, this.linkOf(top))
      if (Atomics.compareExchange(words, this.head, top, next) !== top) continue
      if (this.claim(top, label)) return top
    }
  }

  private claim(thing: number, label: number): boolean {
    const at = this.stateOf(thing)
    for (;;) {
      const state = Atomics.load(this.words, at)
      if (!isClaimable(state)) return false
      if (Atomics.compareExchange(this.words, at, state, held(label)) === state) return true
    }
  }

  private popFresh(label: number): number {
    const { words } = this
    for (;;) {
      const offset = Atomics.load(words, this.fresh)
      const thing = this.first + offset
      if (thing >= this.end) return 0
      const won = Atomics.compareExchange(words, this.stateOf(thing), FRESH, held(label)) === FRESH
      // Anyone moves the mark past a taken thing, so a death right after the claim holds nobody up.
      Atomics.compareExchange(words, this.fresh, offset, offset + 1)
      if (won) return thing
    }
  }

  /**
   * Retires a thing that is in exactly the state `expected`: it comes back to the list when its epoch has passed. Also
   * what was taken and never used goes this way, since a popper that saw it on the list may still be pinned.
   * @returns whether this call retired it; exactly one of several does
   */
  retire(thing: number, expected: number): boolean {
    const epoch = this.scheme.epoch()
    if (Atomics.compareExchange(this.words, this.stateOf(thing), expected, retired(epoch)) !== expected) return false
    this.scheme.retire(this.op, thing, epoch)
    return true
  }

  /**
   * Puts a thing that was retired in `epoch` on the list: the handler of its opcode. Idempotent: a second call finds
   * another state and does nothing.
   * @returns whether this call pushed it
   */
  push(thing: number, epoch: number): boolean {
    const at = this.stateOf(thing)
    const mine = pushing(this.scheme.label)
    if (Atomics.compareExchange(this.words, at, retired(epoch), mine) !== retired(epoch)) return false
    if (this.prepare !== null) this.prepare(thing)
    this.link(thing)
    // A popper may have claimed it already; then this CAS fails, as it should.
    Atomics.compareExchange(this.words, at, mine, FREE)
    return true
  }

  private link(thing: number): void {
    const { words } = this
    for (;;) {
      const top = Atomics.load(words, this.head)
      Atomics.store(words, this.linkOf(thing), top)
      if (Atomics.compareExchange(words, this.head, top, thing) === top) return
    }
  }

  /** Whether `thing` is on the list. The caller is pinned, so the links it walks cannot change under it. */
  contains(thing: number): boolean {
    let at = Atomics.load(this.words, this.head)
    while (at !== 0 && at !== thing) at = Atomics.load(this.words, this.linkOf(at))
    return at === thing
  }

  /** Everything on the list. The caller is pinned. */
  members(): Set<number> {
    const listed = new Set<number>()
    for (let at = Atomics.load(this.words, this.head); at !== 0; at = Atomics.load(this.words, this.linkOf(at))) {
      listed.add(at)
    }
    return listed
  }

  /**
   * Brings back what a dead participant left in limbo: the thing its last pop announced, things it was pushing, and, with
   * `alsoHeld`, what it held. The caller is pinned.
   */
  rescue(dead: number, announced: number, alsoHeld: boolean): void {
    if (announced >= this.first && announced < this.end) this.rescueAnnounced(announced, dead)
    const end = this.used()
    for (let thing = this.first; thing < end; thing++) {
      const state = Atomics.load(this.words, this.stateOf(thing))
      if (state === pushing(dead)) this.rescueOne(thing)
      else if (alsoHeld && state === held(dead)) this.retire(thing, state)
    }
  }

  /** An announcement may be old, and the thing in somebody else's hands by now. */
  private rescueAnnounced(thing: number, dead: number): void {
    for (let i = 0; i < PUSH_PATIENCE; i++) {
      const state = Atomics.load(this.words, this.stateOf(thing))
      // It died while it pushed what it had taken before: that is found below, with all that it was pushing.
      if (state === pushing(dead)) return
      // While a live pusher is at it, it cannot be told whether the thing was on the list; the pusher will be done soon.
      if (isPushing(state)) continue
      if (state === FREE) this.rescueOne(thing)
      return
    }
  }

  /**
   * Brings back what is FREE and on no list: its popper died while its pusher was so slow that no rescuer waited. The
   * caller is pinned. A live popper that has unlinked one of them and not claimed it finds it retired, and goes on.
   * O(things).
   */
  recoverLost(): void {
    const end = this.used()
    // In this order: what is pushed after it was looked at here is not in question.
    const free: number[] = []
    for (let thing = this.first; thing < end; thing++) {
      if (Atomics.load(this.words, this.stateOf(thing)) === FREE) free.push(thing)
    }
    if (free.length === 0) return
    const listed = this.members()
    for (const thing of free) if (!listed.has(thing)) this.retire(thing, FREE)
  }

  private rescueOne(thing: number): void {
    const at = this.stateOf(thing)
    const state = Atomics.load(this.words, at)
    if (!isClaimable(state)) return
    if (this.contains(thing)) Atomics.compareExchange(this.words, at, state, FREE)
    else this.retire(thing, state)
  }

  /**
   * Runs `free` for whatever was retired and is out of every reader's reach, whether or not a garbage list names it: its
   * retirer may have died before it noted it. Freeing twice is impossible, since freeing is a CAS of the state.
   */
  collectStale(free: (thing: number, epoch: number) => void): void {
    if (!this.scheme.reclaims) return
    const end = this.used()
    const now = this.scheme.epoch()
    for (let thing = this.first; thing < end; thing++) {
      const epoch = this.retiredEpoch(thing)
      if (epoch >= 0 && hasPassed(epoch, now)) free(thing, epoch)
    }
  }

  /** Counts things in the FREE state and those never used, up to `limit`. */
  countFree(limit: number): number {
    const fresh = this.end - this.used()
    return fresh + this.countRecycled(limit - fresh)
  }

  /** Counts things in the FREE state that were used before, up to `limit`. O(things used). */
  countRecycled(limit: number): number {
    const used = this.used()
    let free = 0
    for (let thing = this.first; thing < used && free < limit; thing++) {
      if (isClaimable(Atomics.load(this.words, this.stateOf(thing)))) free++
    }
    return free
  }

  /** Counts things waiting for their epoch. */
  countRetired(): number {
    const used = this.used()
    let waiting = 0
    for (let thing = this.first; thing < used; thing++) {
      if (isRetired(Atomics.load(this.words, this.stateOf(thing)))) waiting++
    }
    return waiting
  }

  /** The epoch a thing was retired in, or -1 if it is not retired. */
  retiredEpoch(thing: number): number {
    const state = Atomics.load(this.words, this.stateOf(thing))
    return isRetired(state) ? state & 0x0fffffff : -1
  }
}
