/**
 * The durable tier as one participant sees it: its parts in the arena, and what a dead one's claims come to.
 *
 * Thread safety: belongs to one participant, what it shows is shared. Death: see `registerReap`.
 */
import type { Arena } from '../memory/arena.ts'
import type { Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import { Catalog } from './catalog.ts'
import type { Disk } from './disk.ts'
import { SharedLog } from './shared-log.ts'
import { type TierLayout, tierLayoutOf } from './tier-layout.ts'
import { TierWords } from './tier-words.ts'

export class Tier {
  readonly arena: Arena
  readonly me: Participant
  readonly scheme: Scheme
  readonly layout: TierLayout
  readonly log: SharedLog
  readonly words: TierWords
  readonly catalog: Catalog

  /**
   * The settings must have been written.
   * @param disk where files are removed when the last reader leaves; null to leave that to others
   */
  constructor(arena: Arena, scheme: Scheme, me: Participant, disk: Disk | null) {
    this.arena = arena
    this.me = me
    this.scheme = scheme
    this.layout = tierLayoutOf(arena)
    this.log = new SharedLog(arena.words, this.layout.logAt, this.layout.ringGranules)
    this.words = new TierWords(arena.words, this.layout)
    this.catalog = new Catalog(arena, scheme, me, this.layout.catalog, (name) => {
      try {
        if (disk !== null && disk.sizeOf(name) !== undefined) disk.remove(name)
      } catch {
        // What cannot be removed is an orphan, which the next start removes.
      }
    })
    this.registerReap()
  }

  /** What a dead log worker or maintainer had claimed is free again; its successor goes on from the shared words. */
  private registerReap(): void {
    this.scheme.onReap((_slotAt, label) => {
      this.log.unclaim(label)
      this.words.unclaim(label)
    })
  }
}
