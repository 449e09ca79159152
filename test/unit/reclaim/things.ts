/** A free list of the page ids of an arena, as the floors above use it: take, give back, take again. */
import type { Arena } from '../../../src/memory/arena.ts'
import { GLOBAL_PAGE_FRESH, GLOBAL_PAGE_HEAD } from '../../../src/memory/layout.ts'
import { FreeList } from '../../../src/reclaim/free-list.ts'
import { held } from '../../../src/reclaim/ownership.ts'
import { INTENT_POP_PAGE } from '../../../src/reclaim/participant.ts'
import { OP_RECYCLE_PAGE } from '../../../src/reclaim/scheme.ts'
import type { Joined } from './participants.ts'

export interface Things {
  readonly free: FreeList
  /** Takes a thing inside a pin; 0 if there is none. */
  take(): number
  /** Retires a thing that this participant holds. */
  giveBack(thing: number): boolean
  /** Frees what was retired and noted by nobody. */
  collectStale(): void
  /** What the next taker gets from the list, 0 if it is empty. */
  top(): number
}

/** A participant's view of the list; it frees what is retired, and reaps the dead. */
export function listOf(arena: Arena, { me, scheme }: Joined): Things {
  const { words, layout } = arena
  const { pageTableAt, pageLinksAt, pageIds } = layout
  const [head, fresh] = [GLOBAL_PAGE_HEAD, GLOBAL_PAGE_FRESH]
  const free = new FreeList(words, scheme, OP_RECYCLE_PAGE, head, fresh, pageTableAt, pageLinksAt, 1, 1, pageIds)
  scheme.register(OP_RECYCLE_PAGE, (thing, epoch) => void free.push(thing, epoch))
  scheme.onReap((slotAt, label) => free.rescue(label, Atomics.load(words, slotAt + INTENT_POP_PAGE), true))
  return {
    free,
    take() {
      scheme.enter()
      try {
        return free.pop(me.at + INTENT_POP_PAGE)
      } finally {
        scheme.leave()
      }
    },
    giveBack: (thing) => free.retire(thing, held(scheme.label)),
    collectStale: () => free.collectStale((thing, epoch) => void free.push(thing, epoch)),
    top: () => Atomics.load(words, GLOBAL_PAGE_HEAD),
  }
}
