/**
 * Splits, consolidations and merges, one at a time: keys are looked for whose insertion or deletion is known to cause
 * one, and that operation is timed as a whole, with the search that meets the full page and the posting in the parent.
 */
import type { Store } from '../../src/index.ts'
import { keyOf } from '../load.ts'
import type { loadModule } from '../modules.ts'
import { type Case, type CaseMaker, type Counters, Riser, engineOf, must } from './case.ts'

export interface StructureKit {
  readonly index: Awaited<ReturnType<typeof loadModule<'index'>>>
  readonly participant: Counters
  readonly base: Awaited<ReturnType<typeof loadModule<'pagecache/base'>>>
}

const START_RECORDS = 20_000
/** When a store has grown to so many records, a new one takes its place, so that all calls meet the same tree. */
const MOST_RECORDS = 60_000
const LEAVES = 64
const value = Buffer.alloc(100, 'v')

function openStore(kit: StructureKit): Store<string, Uint8Array> {
  return kit.index.open({ memory: 2 ** 25, values: 'binary', cleaner: false })
}

/** Where a key lies, or would lie. */
function locate(store: Store<string, Uint8Array>, key: string): { leaf: number; base: number; isFull: boolean } {
  const { tree, scheme } = engineOf(store)
  tree.key.copyFrom(Buffer.from(key, 'latin1'), 0, key.length)
  scheme.enter()
  tree.find()
  scheme.leave()
  const { id, base, freeSlot, record } = tree.search
  return { leaf: id, base, isFull: record === 0 && freeSlot === 0 }
}

/** Keys whose insertion finds its leaf without a free slot, one for each leaf. */
class FullLeaves {
  store: Store<string, Uint8Array>
  private readonly kit: StructureKit
  /** Whether those are wanted that split, or those that are only consolidated. */
  private readonly splitting: boolean
  private next = 0
  private readonly ready: string[] = []

  constructor(kit: StructureKit, splitting: boolean) {
    this.kit = kit
    this.splitting = splitting
    this.store = openStore(kit)
  }

  take(): string {
    if (this.ready.length === 0) this.gather()
    return this.ready.pop()!
  }

  /** Inserts until many leaves are one key away from what is wanted. */
  private gather(): void {
    if (this.next > MOST_RECORDS) {
      this.store.close()
      this.store = openStore(this.kit)
      this.next = 0
    }
    while (this.next < START_RECORDS) this.store.set(keyOf(this.next++), value)
    const leaves = new Set<number>()
    const end = this.next + START_RECORDS / 4
    while (this.next < end || leaves.size === 0) {
      const key = keyOf(this.next++)
      const { leaf, base, isFull } = locate(this.store, key)
      // Another key of a leaf that has been chosen would cause the very thing that is to be timed.
      if (leaves.has(leaf)) continue
      if (isFull && this.willSplit(base) === this.splitting) {
        leaves.add(leaf)
        this.ready.push(key)
      } else this.store.set(key, value)
    }
  }

  private willSplit(base: number): boolean {
    const { arena, tree } = engineOf(this.store)
    return tree.context.cache.countFragments(base) > arena.layout.leafEntries
  }

  close(): void {
    this.store.close()
  }
}

function fullLeafCase(kit: StructureKit, counter: 'splits' | 'consolidations'): Case {
  const leaves = new FullLeaves(kit, counter === 'splits')
  const changes = new Riser(kit.participant, () => engineOf(leaves.store), counter)
  let key = ''
  return {
    operations: 1,
    prepare() {
      key = leaves.take()
      changes.mark()
    },
    run: () => leaves.store.set(key, value),
    check: () => must(changes.risen() > 0, counter),
    finish: () => leaves.close(),
  }
}

/** Keys whose deletion leaves a leaf underfull whose left neighbour is nearly so: the two are merged. */
class SparseLeaves {
  store: Store<string, Uint8Array>
  private readonly kit: StructureKit
  private readonly ready: string[] = []

  constructor(kit: StructureKit) {
    this.kit = kit
    this.store = openStore(kit)
  }

  take(): string {
    if (this.ready.length === 0) this.gather()
    return this.ready.pop()!
  }

  private gather(): void {
    this.store.close()
    this.store = openStore(this.kit)
    const { leafEntries } = engineOf(this.store).arena.layout
    const keys: string[] = []
    for (let i = 0; i < LEAVES * leafEntries; i++) keys.push(String(i).padStart(16, '0'))
    for (const key of keys) this.store.set(key, value)
    const leaves = new Map<number, string[]>()
    for (const key of keys) {
      const { leaf } = locate(this.store, key)
      const there = leaves.get(leaf)
      if (there === undefined) leaves.set(leaf, [key])
      else there.push(key)
    }
    let position = 0
    for (const there of leaves.values()) {
      const last = this.thinOut(there)
      // Each second one is merged into the one before it; the last leaf has a different fill.
      if (position++ % 2 === 1 && position < leaves.size) this.ready.push(last)
    }
  }

  /** Deletes up to the deletion that would have the leaf looked at (see tree.ts). @returns the key that is next */
  private thinOut(keys: string[]): string {
    const { arena } = engineOf(this.store)
    const { BASE_EXTRA, BASE_SHAPE, countOf } = this.kit.base
    const quarter = arena.layout.leafEntries >>> 2
    for (const key of keys) {
      const { base } = locate(this.store, key)
      const deletions = arena.words[base + BASE_EXTRA] + 1
      const left = countOf(arena.words[base + BASE_SHAPE]) - deletions
      if (left <= quarter && (left <= 0 || (deletions & 7) === 0)) return key
      this.store.delete(key)
    }
    throw new Error('a leaf ran empty before it was underfull')
  }

  close(): void {
    this.store.close()
  }
}

function mergeCase(kit: StructureKit): Case {
  const leaves = new SparseLeaves(kit)
  const merges = new Riser(kit.participant, () => engineOf(leaves.store), 'merges')
  let key = ''
  return {
    operations: 1,
    prepare() {
      key = leaves.take()
      merges.mark()
    },
    run: () => void leaves.store.delete(key),
    check: () => must(merges.risen() > 0, 'merges'),
    finish: () => leaves.close(),
  }
}

/** Consolidation, split and merge of leaves. */
export function structureCases(kit: StructureKit): CaseMaker[] {
  return [
    { name: 'insert that consolidates its leaf', share: 0.2, make: () => fullLeafCase(kit, 'consolidations') },
    { name: 'insert that splits its leaf', share: 0.2, make: () => fullLeafCase(kit, 'splits') },
    { name: 'delete that merges its leaf', share: 0.1, make: () => mergeCase(kit) },
  ]
}
