/** What every operation is made of: pins, single Atomics, and the free list of page ids. */
import type { FreeList } from '../../src/reclaim/free-list.ts'
import type { loadModule } from '../modules.ts'
import { type Case, type CaseMaker, engineOf, must } from './case.ts'

export interface PrimitiveKit {
  readonly index: Awaited<ReturnType<typeof loadModule<'index'>>>
  readonly ownership: Awaited<ReturnType<typeof loadModule<'reclaim/ownership'>>>
  readonly participant: Awaited<ReturnType<typeof loadModule<'reclaim/participant'>>>
}

const BATCH = 1000
/** Words the Atomics walk over, one for each cache line: they stay in the first-level cache. */
const LINES = 64
const LINE_WORDS = 16

/** Some regions end with an attempt to move the epoch on, which belongs to the price. */
function pinCase(kit: PrimitiveKit): Case {
  const store = kit.index.open({ memory: 2 ** 20, cleaner: false })
  const { scheme } = engineOf(store)
  let before = 0
  let pins = 0
  return {
    operations: BATCH,
    prepare() {
      before = scheme.epoch()
      pins = 0
    },
    run() {
      for (let i = 0; i < BATCH; i++) {
        scheme.enter()
        if (scheme.pinned()) pins++
        scheme.leave()
      }
    },
    check() {
      // With nobody else pinned, so many regions left must have moved the epoch on.
      must(pins === BATCH && scheme.epoch() !== before, 'critical regions entered and left')
    },
    finish: () => store.close(),
  }
}

/** One atomic operation on one of a few words; what they hold in the end shows that all of them were done. */
function atomicCase(run: (words: Int32Array) => number, expected: (calls: number) => number): Case {
  const words = new Int32Array(new SharedArrayBuffer(LINES * LINE_WORDS * 4))
  let calls = 0
  let result = 0
  return {
    operations: BATCH,
    run() {
      result = run(words)
      calls++
    },
    check() {
      must(result === expected(calls), 'atomic operations')
    },
  }
}

function wordAt(i: number): number {
  return (i & (LINES - 1)) * LINE_WORDS
}

const atomicMakers: CaseMaker[] = [
  {
    name: 'plain load',
    make: () =>
      atomicCase(
        (words) => {
          let sum = 0
          for (let i = 0; i < BATCH; i++) sum += words[wordAt(i)] + 1
          return sum
        },
        () => BATCH,
      ),
  },
  {
    name: 'Atomics.load',
    make: () =>
      atomicCase(
        (words) => {
          let sum = 0
          for (let i = 0; i < BATCH; i++) sum += Atomics.load(words, wordAt(i)) + 1
          return sum
        },
        () => BATCH,
      ),
  },
  {
    name: 'Atomics.store',
    make: () =>
      atomicCase(
        (words) => {
          for (let i = 0; i < BATCH; i++) Atomics.store(words, wordAt(i), i)
          return words[wordAt(BATCH - 1)]
        },
        () => BATCH - 1,
      ),
  },
  {
    name: 'Atomics.compareExchange',
    make: () => {
      let round = 0
      return atomicCase(
        (words) => {
          let swapped = 0
          // Every word goes from its round to the next one, so that each exchange succeeds.
          for (let i = 0; i < BATCH; i++) {
            const at = i & (LINES - 1)
            if (at === 0 && i > 0) round++
            if (Atomics.compareExchange(words, at * LINE_WORDS, round, round + 1) === round) swapped++
          }
          // The last round may have been left in the middle.
          words.fill(++round)
          return swapped
        },
        () => BATCH,
      )
    },
  },
  {
    name: 'Atomics.add',
    make: () =>
      atomicCase(
        (words) => {
          for (let i = 0; i < BATCH; i++) Atomics.add(words, wordAt(i), 1)
          let sum = 0
          for (let i = 0; i < LINES; i++) sum += words[wordAt(i)]
          return sum
        },
        (calls) => calls * BATCH,
      ),
  },
]

const IDS = 100

/** Ids taken from the list and given back to it, with nobody else attached, so that no epoch has to pass in between. */
class IdPool {
  readonly taken: number[] = []
  readonly list: FreeList
  private readonly kit: PrimitiveKit
  private readonly store
  private readonly intent: number

  constructor(kit: PrimitiveKit) {
    this.kit = kit
    this.store = kit.index.open({ memory: 2 ** 20, cleaner: false })
    const engine = engineOf(this.store)
    this.list = engine.tree.context.table.list
    this.intent = engine.me.at + kit.participant.INTENT_POP_PAGE
    // Once through, so that what is popped afterwards is recycled and not fresh.
    this.popAll()
    this.retireAll()
    this.pushAll()
  }

  popAll(): void {
    for (let i = 0; i < IDS; i++) this.taken.push(this.list.pop(this.intent))
  }

  /** As `list.retire`, without the wait for the epoch. */
  retireAll(): void {
    const { words } = engineOf(this.store).arena
    const { retired } = this.kit.ownership
    for (const id of this.taken) Atomics.store(words, this.list.stateOf(id), retired(0))
  }

  pushAll(): number {
    let pushed = 0
    for (const id of this.taken) if (this.list.push(id, 0)) pushed++
    this.taken.length = 0
    return pushed
  }

  isEmpty(): boolean {
    return this.list.members().size === 0
  }

  close(): void {
    this.pushAll()
    this.store.close()
  }
}

function popCase(kit: PrimitiveKit): Case {
  const pool = new IdPool(kit)
  return {
    operations: IDS,
    prepare() {
      pool.retireAll()
      pool.pushAll()
    },
    run: () => pool.popAll(),
    check() {
      must(new Set(pool.taken).size === IDS && !pool.taken.includes(0) && pool.isEmpty(), 'pops')
    },
    finish() {
      pool.retireAll()
      pool.close()
    },
  }
}

function pushCase(kit: PrimitiveKit): Case {
  const pool = new IdPool(kit)
  let pushed = 0
  return {
    operations: IDS,
    prepare() {
      pool.popAll()
      pool.retireAll()
    },
    run() {
      pushed = pool.pushAll()
    },
    check() {
      must(pushed === IDS && pool.list.members().size === IDS, 'pushes')
    },
    finish: () => pool.close(),
  }
}

/** Pin and unpin, single Atomics, free list. */
export function primitiveCases(kit: PrimitiveKit): CaseMaker[] {
  return [
    { name: 'pin and unpin', make: () => pinCase(kit) },
    ...atomicMakers,
    { name: 'free-list pop', make: () => popCase(kit) },
    { name: 'free-list push', make: () => pushCase(kit) },
  ]
}
