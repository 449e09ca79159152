/**
 * The page table: one word per page id, which is both the address of the page's newest state and the id's ownership.
 *
 *   0                     never used
 *   1 .. 2^30 - 1         address of the page's base
 *   REMOVED | address     the page is being merged away; terminal but for RETIRED, its content is frozen or freezing
 *   negative              FREE, HELD, PUSHING, RETIRED (ownership.ts)
 *
 * Thread safety: every change is a CAS, but for the first installation by the holder of the id.
 * Recycling: a retired id is pushed to the free list only after its epoch has passed; a pinned thread can therefore
 * compare a table word with one it read earlier, and follow an id it read earlier, without meeting another page there.
 * Death: ids that a dead participant held (its cache, or one in its hands) are found by their label; an id it installed
 * without linking it, or unlinked without retiring it, is named by the intent words of its slot.
 */
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_PAGE_FRESH, GLOBAL_PAGE_HEAD } from '../memory/layout.ts'
import { FreeList } from '../reclaim/free-list.ts'
import { held, isHeld, payloadOf } from '../reclaim/ownership.ts'
import { COUNTER, INTENT_POP_PAGE, type Participant } from '../reclaim/participant.ts'
import { OP_RECYCLE_PAGE, type Scheme } from '../reclaim/scheme.ts'

/** The id of the page where every search begins; it is never recycled. */
export const ROOT = 1
export const REMOVED = 1 << 30
export const ADDRESS_MASK = REMOVED - 1
const CACHE_LIMIT = 8

export class PageTable {
  /** Word of id 0; readers load `words[at + id]` themselves on hot paths. */
  readonly at: number
  readonly list: FreeList
  private readonly words: Int32Array
  private readonly scheme: Scheme
  private readonly me: Participant
  /** Ids HELD by this participant and not in use. */
  private readonly cache: number[] = []

  constructor(arena: Arena, scheme: Scheme, me: Participant) {
    const { layout } = arena
    this.words = arena.words
    this.at = layout.pageTableAt
    this.scheme = scheme
    this.me = me
    this.list = new FreeList(
      arena.words,
      scheme,
      OP_RECYCLE_PAGE,
      GLOBAL_PAGE_HEAD,
      GLOBAL_PAGE_FRESH,
      layout.pageTableAt,
      layout.pageLinksAt,
      1,
      ROOT,
      layout.pageIds,
    )
    scheme.register(OP_RECYCLE_PAGE, (id, epoch) => void this.list.push(id, epoch))
  }

  load(id: number): number {
    return Atomics.load(this.words, this.at + id)
  }

  /** Replaces a page's state. @returns whether it still was `expected` */
  cas(id: number, expected: number, next: number): boolean {
    return Atomics.compareExchange(this.words, this.at + id, expected, next) === expected
  }

  /**
   * Takes an unused id; it is HELD by the caller, who is pinned.
   * @returns the id, or 0 if all are in use
   */
  allocate(): number {
    const cached = this.cache.pop()
    if (cached !== undefined) return cached
    const used = this.list.used()
    const id = this.list.pop(this.me.at + INTENT_POP_PAGE)
    if (id !== 0 && id < used) this.me.count(COUNTER.pageIdsReused, 1)
    return id
  }

  /** Shows the first state of a page under an id the caller holds. Publishes the base to whoever gets to know the id. */
  install(id: number, address: number): void {
    Atomics.store(this.words, this.at + id, address)
  }

  /** Gives back an id that no other thread has got to know. */
  putBack(id: number): void {
    const mine = held(this.scheme.label)
    Atomics.store(this.words, this.at + id, mine)
    if (this.cache.length < CACHE_LIMIT) this.cache.push(id)
    else this.list.retire(id, mine)
  }

  /**
   * Retires an id that has been unlinked everywhere.
   * @param expected the table word it has now
   * @returns whether this call did; exactly one of several helpers gets true
   */
  retire(id: number, expected: number): boolean {
    if (!this.list.retire(id, expected)) return false
    this.me.count(COUNTER.pageIdsRetired, 1)
    return true
  }

  /** Takes back all ids that a participant that is gone was holding. */
  reap(slotAt: number, label: number): void {
    this.list.rescue(label, Atomics.load(this.words, slotAt + INTENT_POP_PAGE), true)
  }

  /** Frees ids whose retirement nobody noted, because the retirer died. O(ids ever used). */
  collectStale(): void {
    this.list.collectStale((id, epoch) => void this.list.push(id, epoch))
  }

  /** Forgets the cache; only when the participant detaches and `reap` is about to take the ids back. */
  dropCache(): void {
    this.cache.length = 0
  }

  /** Pages there are now, those being merged away included. O(ids ever used). */
  countPages(): number {
    const end = this.list.used()
    let pages = 0
    for (let id = this.list.first; id < end; id++) if (this.load(id) > 0) pages++
    return pages
  }

  /** Label of whoever holds an id, or -1. */
  holder(id: number): number {
    const state = this.load(id)
    return isHeld(state) ? payloadOf(state) : -1
  }
}
