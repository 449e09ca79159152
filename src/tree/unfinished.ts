/**
 * What a thread has left in the journal in the middle of a change: completed if the change was made, else given up. See
 * journal.ts for the argument.
 *
 * Thread safety: one Unfinished belongs to one participant, who is pinned. Idempotent; a death in it leaves what it found.
 */
import { PARTICIPANT_WORDS } from '../memory/layout.ts'
import { keyBytesOf } from '../log/block.ts'
import { INTENT_CHANGE } from '../reclaim/participant.ts'
import type { TreeContext } from './context.ts'
import { BATCH_POSITION } from './descriptor.ts'
import type { Journal } from './journal.ts'
import { KeyBuffer } from './key.ts'
import { RECORD_VERSION, recordHeader, recordKeyAt } from './record.ts'
import { Search } from './search.ts'

export class Unfinished {
  private readonly context: TreeContext
  private readonly journal: Journal
  private readonly search: Search
  private readonly key = new KeyBuffer()

  constructor(context: TreeContext, journal: Journal) {
    this.context = context
    this.journal = journal
    this.search = new Search(context.arena)
  }

  /** Settles what a dead participant has reserved. Before its slot is used again and its pin is taken away. */
  reap(slotAt: number): void {
    const { context, journal } = this
    const { words, layout } = context.arena
    if (slotAt === context.me.at) return
    const intent = Atomics.load(words, slotAt + INTENT_CHANGE)
    const position = journal.reservedBy((slotAt - layout.participantsAt) / PARTICIPANT_WORDS)
    if (position >= 0) {
      if (intent < 0 && this.isAgreed(-intent, position)) context.batches.finish(-intent)
      else journal.settle(position, intent > 0 && this.isLinked(intent))
    }
    Atomics.store(words, slotAt + INTENT_CHANGE, 0)
  }

  /**
   * Settles what this participant has reserved for a record, if an exception has kept it from doing so.
   * @returns whether the record has been linked
   */
  letGo(): boolean {
    const { context, journal } = this
    const intent = Atomics.load(context.arena.words, context.me.at + INTENT_CHANGE)
    const isLinked = intent > 0 && this.isLinked(intent)
    if (isLinked) journal.complete()
    else journal.abort()
    return isLinked
  }

  private isAgreed(batch: number, position: number): boolean {
    return Atomics.load(this.context.arena.words, batch + BATCH_POSITION) === ~position
  }

  /** Whether a record that nobody is about to link has ever been linked. */
  private isLinked(record: number): boolean {
    const { words, bytes } = this.context.arena
    this.key.copyFrom(bytes, recordKeyAt(record), keyBytesOf(recordHeader(words, record)))
    this.search.locate(this.key)
    // In this order: what was a head and is not any more has been stamped.
    return this.search.record === record || Atomics.load(words, record + RECORD_VERSION) !== 0
  }
}
