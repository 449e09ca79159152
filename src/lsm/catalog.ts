/**
 * The catalog: numbered versions of what belongs to the store, and who is reading which.
 *
 * A version lies in a slot of shared memory as bytes (version-state.ts) and never changes. One word says which slot is
 * current. Readers are counted by their holds: words that only their owner writes, so that `acquire` and `release` share
 * no word that two threads write (RocksDB has a slot for each thread for the same end; a hold here is a hazard pointer,
 * Michael 2004, to a version).
 *
 *   current   slot + 1 of the current version, 0 before the first; in the next word a count, see acquireAlso
 *   holds     a line for each participant: slot + 1 of what each of its holds keeps, 0 for nothing
 *   states    an ownership word for each slot:
 *               0 never used   HELD|label being filled   n > 0 the version of number n
 *               PUSHING|label its files are being removed   RETIRED|epoch waiting for those who still look
 *   slots     0 number   1 bytes of the state   2.. the state
 *
 *   fresh, RETIRED -> HELD -> n -> PUSHING -> RETIRED
 *
 * acquire: v = current; hold v; if current is still v, v is kept. For whoever makes another version current looks at the
 * holds later, and all accesses are sequentially consistent, so it sees the hold. A version that is current cannot leave,
 * and a slot is not used again while it is held, so it does not matter whether `current` was something else in between.
 *
 * create: a slot is taken, filled, and `current` goes from its base to it by CAS. The creator holds the base, so there is
 * no ABA. It becomes n only afterwards, by its creator or by whoever is in need of it (`settle`), and always before it is
 * superseded. So a slot that is HELD and not current was never current.
 *
 * sweep: a version that is n, not current and not held can be held by nobody any more. Who moves it from n to PUSHING
 * removes those of its files that no other version names: he acquires the current version c and then looks at all that are
 * n. That is enough: a version is made from its base by taking files away and adding new ones, so an old file that is not
 * in c is in no later one; c stays n as long as it is held; and if c is not n yet, its creator still holds its base, which
 * is n, is not the version swept, and names whatever old file c names. Of two versions swept at the same time both may find that a
 * file is theirs to remove: removing is idempotent. Of two sweeps one at least removes it, since each moves its version to
 * PUSHING before it looks at the other.
 * Who looks at slots is pinned, and a slot is taken again only when its epoch has passed: no ABA at states, and no state
 * is overwritten while somebody decodes it.
 *
 * Thread safety: an instance belongs to one participant, the region is shared. Progress: acquire is lock-free (it repeats
 * only when a version was created), release wait-free unless it was the last to leave an old version and sweeps; create
 * and sweep are lock-free, O(participants * slots).
 * Death: the reap clears the dead one's holds, settles or gives back the slot it was filling, and returns what it was
 * sweeping to n, to be swept again. Files that a dead creator had written for a version that never became current are not
 * the catalog's: a manifest may name them, or the next start-up removes them as orphans.
 */
import { assert } from '../memory/assert.ts'
import type { Arena } from '../memory/arena.ts'
import { HeddleError } from '../memory/error.ts'
import { LINE_WORDS, PARTICIPANT_WORDS } from '../memory/layout.ts'
import { hasPassed } from '../reclaim/garbage.ts'
import { FRESH, held, isRetired, payloadOf, pushing, retired } from '../reclaim/ownership.ts'
import { type Participant, slotsUsed } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import type { CatalogGeometry } from './catalog-geometry.ts'
import { decodeVersion, encodeVersion, filesOf, type VersionState } from './version-state.ts'

export { type CatalogGeometry, placeCatalog } from './catalog-geometry.ts'

/** Beside the current version: how often somebody has joined another one's hold. */
const ATTACHES = 1
const NUMBER = 0
const LENGTH = 1
const STATE = 2
const LARGEST_NUMBER = 0x7fffffff

/** A version that is held: it and its files stay until it is released. */
export interface Version {
  readonly number: number
  readonly state: VersionState
}

class Hold implements Version {
  slot = -1
  count = 0
  number = 0
  state!: VersionState
  readonly at: number

  constructor(at: number) {
    this.at = at
  }
}

/** Removes a file, if it is there. Idempotent; what it throws goes to whoever swept, and the file stays an orphan. */
export type RemoveFile = (name: string) => void

export class Catalog {
  readonly geometry: CatalogGeometry
  private readonly arena: Arena
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly scheme: Scheme
  private readonly remove: RemoveFile
  private readonly holds: Hold[] = []
  /** A hold of ours may have made a sweeper pass a version over: it is for us to sweep. */
  private missed = false

  constructor(arena: Arena, scheme: Scheme, me: Participant, geometry: CatalogGeometry, remove: RemoveFile) {
    this.geometry = geometry
    this.arena = arena
    this.words = arena.words
    this.bytes = arena.bytes
    this.scheme = scheme
    this.remove = remove
    assert(me.slot < geometry.participants, 'more participants than the catalog has holds for')
    for (let i = 0; i < geometry.holds; i++) this.holds.push(new Hold(geometry.holdsAt + me.slot * LINE_WORDS + i))
    const { participantsAt } = arena.layout
    scheme.onReap((slotAt, label) => this.bringBack((slotAt - participantsAt) / PARTICIPANT_WORDS, label))
  }

  private stateAt(slot: number): number {
    return this.geometry.statesAt + slot
  }

  private slotAt(slot: number): number {
    return this.geometry.slotsAt + slot * this.geometry.slotWords
  }

  /**
   * Holds the current version. Each acquire needs one release, by the same participant.
   * @throws HeddleError HEDDLE_FULL if this participant holds too many different versions; HEDDLE_INTERNAL before the first
   * Complexity: two loads and a store when the version has been held before; else the state is decoded, once a version.
   */
  acquire(): Version {
    const hold = this.hold()
    if (this.missed) this.sweep()
    return hold
  }

  /**
   * Holds a version that another participant holds. Only good if the caller finds afterwards that the other one still does;
   * else it is to be released. A sweeper may have looked at our holds before, and at the other one's after he let go; so we count
   * ourselves before that look, and he looks at the count before and after.
   * @returns undefined if there is no such version any more
   */
  acquireAlso(number: number): Version | undefined {
    const current = this.hold()
    if (current.number === number) return current
    if (this.letGo(current)) this.missed = true
    this.scheme.enter()
    try {
      for (let slot = 0; slot < this.geometry.slots; slot++) {
        if (Atomics.load(this.words, this.stateAt(slot)) === number) return this.holdAlso(slot, number)
      }
      return undefined
    } finally {
      this.scheme.leave()
    }
  }

  /** Pinned: what a slot holds stays. */
  private holdAlso(slot: number, number: number): Hold | undefined {
    const { words } = this
    const hold = this.holdFor(slot)
    if (hold.count === 0) {
      Atomics.store(words, hold.at, slot + 1)
      Atomics.add(words, this.geometry.currentAt + ATTACHES, 1)
      if (Atomics.load(words, this.stateAt(slot)) !== number) {
        Atomics.store(words, hold.at, 0)
        this.missed = true
        return undefined
      }
      this.look(hold, slot)
    }
    hold.count++
    return hold
  }

  private attaches(): number {
    return Atomics.load(this.words, this.geometry.currentAt + ATTACHES)
  }

  private hold(): Hold {
    const { words } = this
    const { currentAt } = this.geometry
    for (;;) {
      const slot = Atomics.load(words, currentAt) - 1
      assert(slot >= 0, 'the catalog has no version yet')
      const hold = this.holdFor(slot)
      if (hold.count > 0) {
        // Held already, and current at the moment of the load.
        hold.count++
        return hold
      }
      Atomics.store(words, hold.at, slot + 1)
      if (Atomics.load(words, currentAt) === slot + 1) {
        hold.count = 1
        this.look(hold, slot)
        return hold
      }
      Atomics.store(words, hold.at, 0)
      this.missed = true
    }
  }

  /** @returns whether the version left is not the current one any more */
  private letGo(hold: Hold): boolean {
    if (--hold.count > 0) return false
    Atomics.store(this.words, hold.at, 0)
    return Atomics.load(this.words, this.geometry.currentAt) !== hold.slot + 1
  }

  /** The hold in which a slot is held, or was last, or else a free one. */
  private holdFor(slot: number): Hold {
    const { holds } = this
    let free: Hold | undefined
    for (let i = 0; i < holds.length; i++) {
      const hold = holds[i]
      if (hold.slot === slot) return hold
      if (hold.count === 0 && (free === undefined || hold.slot < 0)) free = hold
    }
    if (free === undefined) {
      throw new HeddleError('HEDDLE_FULL', `this thread reads ${holds.length} different versions; end some iterators`)
    }
    free.slot = -1
    return free
  }

  /** Plain loads: the state was written before the version became current, and is not changed while it is held. */
  private look(hold: Hold, slot: number): void {
    const at = this.slotAt(slot)
    const number = this.words[at + NUMBER]
    if (hold.slot === slot && hold.number === number) return
    hold.slot = slot
    hold.number = number
    hold.state = this.decode(slot)
  }

  private decode(slot: number): VersionState {
    const at = this.slotAt(slot)
    const from = (at + STATE) * 4
    return decodeVersion(this.bytes.slice(from, from + this.words[at + LENGTH]))
  }

  /**
   * Gives a version back. If it is not the current one, and nobody else reads it, what only it names is removed now.
   * @throws what the removal of a file threw; the version has been given back
   */
  release(version: Version): void {
    const hold = version as Hold
    assert(hold.count > 0, 'a version was released more often than acquired')
    if (this.letGo(hold)) this.sweep()
  }

  /** Versions that are held although they are not the current one. O(slots), and O(participants) for each that is left. */
  superseded(): number {
    const current = Atomics.load(this.words, this.geometry.currentAt) - 1
    let held = 0
    for (let slot = 0; slot < this.geometry.slots; slot++) {
      if (slot !== current && Atomics.load(this.words, this.stateAt(slot)) > 0 && this.readersOf(slot) > 0) held++
    }
    return held
  }

  /** Number of the current version, 0 before the first. Not a promise: it may be superseded at any moment. */
  currentNumber(): number {
    if (Atomics.load(this.words, this.geometry.currentAt) === 0) return 0
    const version = this.acquire()
    this.release(version)
    return version.number
  }

  /**
   * Readers of a version, by their holds: participants, not acquires. Not a snapshot. O(participants). Who joins after
   * the number of participants was read finds the version current, or does not keep it.
   */
  readersOf(slot: number): number {
    const { holdsAt, holds } = this.geometry
    const used = slotsUsed(this.arena)
    let readers = 0
    for (let participant = 0; participant < used; participant++) {
      const at = holdsAt + participant * LINE_WORDS
      for (let i = 0; i < holds; i++) if (Atomics.load(this.words, at + i) === slot + 1) readers++
    }
    return readers
  }

  /**
   * Makes the first version, before anybody else takes part.
   * @throws HeddleError HEDDLE_FULL if the state is too large for a slot
   */
  createFirst(state: VersionState): void {
    assert(this.install(undefined, state), 'the catalog has a version already')
  }

  /**
   * Makes `state` current in the place of `base`, which the caller holds, and goes on holding: the files that only it
   * names go when the last one releases it.
   * @returns false if another version has become current since: acquire that, and build on it anew
   * @throws HeddleError HEDDLE_FULL if all slots are held by readers, or the state is too large for one
   */
  create(base: Version, state: VersionState): boolean {
    assert((base as Hold).count > 0, 'a version was built on one that is not held')
    return this.install(base as Hold, state)
  }

  /** Whether a state fits that is so many bytes longer than this one. */
  hasRoom(state: VersionState, moreBytes = 0): boolean {
    return encodeVersion(state).length + moreBytes <= (this.geometry.slotWords - STATE) * 4
  }

  /** @throws HeddleError HEDDLE_FULL if a state is too large for a slot */
  checkRoom(state: VersionState): void {
    if (this.hasRoom(state)) return
    const files = filesOf(state).length
    throw new HeddleError('HEDDLE_FULL', `the catalog cannot list ${files} files; give the store more memory`)
  }

  private install(base: Hold | undefined, state: VersionState): boolean {
    const { words } = this
    const { currentAt } = this.geometry
    this.checkRoom(state)
    const encoded = encodeVersion(state)
    const slot = this.take()
    const number = base === undefined ? 1 : base.number + 1
    assert(number < LARGEST_NUMBER, 'the numbers of versions are used up')
    const at = this.slotAt(slot)
    words[at + NUMBER] = number
    words[at + LENGTH] = encoded.length
    this.bytes.set(encoded, (at + STATE) * 4)
    const expected = base === undefined ? 0 : base.slot + 1
    // What is superseded must be known as a version: sweepers would not count it otherwise.
    if (base !== undefined) this.settle(base.slot, base.number)
    this.scheme.enter()
    const done = Atomics.compareExchange(words, currentAt, expected, slot + 1) === expected
    if (done) this.settleMine(slot, number)
    else Atomics.compareExchange(words, this.stateAt(slot), held(this.scheme.label), retired(this.scheme.epoch()))
    this.scheme.leave()
    return done
  }

  /** Marks a version that is or was current, and is held, as one. */
  private settle(slot: number, number: number): void {
    const state = Atomics.load(this.words, this.stateAt(slot))
    if (state < 0) Atomics.compareExchange(this.words, this.stateAt(slot), state, number)
  }

  /** The same for the own new one, which may be superseded, swept and retired by now, but not used again: we are pinned. */
  private settleMine(slot: number, number: number): void {
    Atomics.compareExchange(this.words, this.stateAt(slot), held(this.scheme.label), number)
  }

  /** Takes a slot that nobody looks at. */
  private take(): number {
    for (let round = 0; round < 2; round++) {
      const slot = this.tryTake()
      if (slot >= 0) return slot
      this.sweep()
      this.scheme.flush()
    }
    throw new HeddleError('HEDDLE_FULL', `all ${this.geometry.slots} versions are being read; end old iterators`)
  }

  private tryTake(): number {
    const { words, scheme } = this
    const { slots } = this.geometry
    for (let slot = 0; slot < slots; slot++) {
      const state = Atomics.load(words, this.stateAt(slot))
      const free = state === FRESH || (isRetired(state) && hasPassed(payloadOf(state), scheme.epoch()))
      if (free && Atomics.compareExchange(words, this.stateAt(slot), state, held(scheme.label)) === state) return slot
    }
    return -1
  }

  /**
   * Removes the files of all versions that nobody can read any more. Idempotent; any thread may call it at any time.
   * @returns versions that went
   * @throws what the removal of a file threw, after all others were tried
   */
  sweep(): number {
    const { scheme } = this
    let [swept, failure]: [number, unknown] = [0, undefined]
    do {
      this.missed = false
      for (let slot = 0; slot < this.geometry.slots; slot++) {
        const files = this.claim(slot)
        if (files === undefined) continue
        failure ??= this.removeAll(files)
        Atomics.compareExchange(this.words, this.stateAt(slot), pushing(scheme.label), retired(scheme.epoch()))
        swept++
      }
    } while (this.missed)
    if (failure !== undefined) throw failure as Error
    return swept
  }

  /** @returns the first failure, after all were tried */
  private removeAll(files: readonly string[]): unknown {
    let failure: unknown
    for (const name of files) {
      try {
        this.remove(name)
      } catch (error) {
        failure ??= error
      }
    }
    return failure
  }

  /** Moves a version that nobody can read to PUSHING. @returns the files that only it names, or undefined if it stays */
  private claim(slot: number): string[] | undefined {
    const { words, scheme } = this
    const at = this.stateAt(slot)
    if (Atomics.load(words, at) <= 0) return undefined
    scheme.enter()
    try {
      const number = Atomics.load(words, at)
      if (number <= 0) return undefined
      const attaches = this.attaches()
      if (Atomics.load(words, this.geometry.currentAt) === slot + 1 || this.readersOf(slot) > 0) return undefined
      if (this.attaches() !== attaches) {
        this.missed = true
        return undefined
      }
      if (Atomics.compareExchange(words, at, number, pushing(scheme.label)) !== number) return undefined
      return this.ownFiles(slot)
    } finally {
      scheme.leave()
    }
  }

  /** The caller is pinned and has moved the slot to PUSHING. */
  private ownFiles(slot: number): string[] {
    const names = new Set(filesOf(this.decode(slot)))
    const current = this.hold()
    try {
      for (let other = 0; other < this.geometry.slots; other++) {
        if (Atomics.load(this.words, this.stateAt(other)) <= 0) continue
        for (const name of filesOf(this.decode(other))) names.delete(name)
      }
    } finally {
      if (this.letGo(current)) this.missed = true
    }
    return [...names]
  }

  /** Clears what a participant that died, or leaves, had in its hands. The caller is pinned. Idempotent. */
  private bringBack(participant: number, label: number): void {
    const { words } = this
    const { holdsAt, slots, currentAt } = this.geometry
    const holds = holdsAt + participant * LINE_WORDS
    for (let slot = 0; slot < slots; slot++) {
      const at = this.stateAt(slot)
      const state = Atomics.load(words, at)
      if (state === pushing(label)) Atomics.compareExchange(words, at, state, words[this.slotAt(slot) + NUMBER])
      if (state !== held(label)) continue
      const next =
        Atomics.load(words, currentAt) === slot + 1 ? words[this.slotAt(slot) + NUMBER] : retired(this.scheme.epoch())
      Atomics.compareExchange(words, at, state, next)
    }
    for (let i = 0; i < this.geometry.holds; i++) Atomics.store(words, holds + i, 0)
  }
}
