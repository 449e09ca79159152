import assert from 'node:assert/strict'
import fc from 'fast-check'
import { attach, type OpenOptions, type Store } from '../../src/index.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { attachPartial, openPartial } from '../support/partial-store.ts'
import { fromEnv } from '../support/random.ts'
import { assertWhole, MIB, openStore } from '../support/stores.ts'
import type { Pair } from './codec-pairs.ts'
import { assertSame, type Stores } from './command.ts'
import { allCommands } from './commands.ts'
import { partialCommands } from './partial-commands.ts'
import { SortedModel } from './sorted-model.ts'

export interface ModelRun {
  readonly tuning: NonNullable<OpenOptions['tuning']>
  /** How many stores share the one arena. */
  readonly stores?: number
  /** What stands between the commands and the store: a fault to be found. */
  readonly through?: <K, V>(store: Store<K, V>) => Store<K, V>
  /** Whether the tree is partial: flushes, evictions and compactions come between the other commands. */
  readonly partial?: boolean
  readonly runs?: number
  readonly seed?: number
}

/** What the runs have driven the store to do. */
export interface Driven {
  splits: number
  merges: number
  reused: number
  fills: number
  evictions: number
}

/** Runs commands on a store and on the model. What differs is thrown, with the shortest list of commands that shows it. */
export function runModel<K, V>(
  pair: Pair<K, V>,
  { tuning, stores = 1, through = (s) => s, partial = false, ...size }: ModelRun,
): Driven {
  const driven: Driven = { splits: 0, merges: 0, reused: 0, fills: 0, evictions: 0 }
  const numRuns = size.runs ?? fromEnv('FC_RUNS', 100)
  const seed = size.seed ?? fromEnv('FC_SEED', 20_240)
  const commands = fc.commands(partial ? [...allCommands(pair), ...partialCommands<K, V>()] : allCommands(pair), {
    maxCommands: fromEnv('FC_COMMANDS', 50),
    size: 'max',
  })
  const property = fc.property(commands, (list) => {
    const options = { memory: 32 * MIB, keys: pair.keys.option, values: pair.values.option, tuning }
    const disk = new MemoryDisk()
    const store = partial ? openPartial<K, V>(options, disk).store : openStore<K, V>(options)
    const join = (): Store<K, V> =>
      partial
        ? attachPartial<K, V>(store.handle.buffer, options, disk).store
        : (attach(store.handle) as unknown as Store<K, V>)
    const others = Array.from({ length: stores - 1 }, join)
    try {
      const all = [store, ...others].map((each) => through(each))
      const model = new SortedModel(pair)
      fc.modelRun(() => ({ model, real: all }), list)
      atTheEnd(model, all)
      const { splits, merges, pageIdsReused, fills, evictions } = store.stats()
      driven.fills += fills!
      driven.evictions += evictions!
      driven.splits += splits!
      driven.merges += merges!
      driven.reused += pageIdsReused!
    } finally {
      for (const each of [...others, store]) each.close()
    }
  })
  fc.assert(property, { numRuns, seed })
  return driven
}

function atTheEnd<K, V>(model: SortedModel<K, V>, stores: Stores<K, V>): void {
  for (const store of stores) {
    assertSame([...store.entries()], model.entries())
    assertSame([...store.entries({ reverse: true })], model.entries({ reverse: true }))
  }
  for (const { snapshot, then } of model.snapshots.splice(0)) {
    assertSame([...snapshot], then.entries())
    snapshot.close()
  }
  assertDrained(stores)
  stores[0]!.clear()
  assertDrained(stores)
  assert.equal(stores[0]!.size, 0)
}

function assertDrained<K, V>(stores: Stores<K, V>): void {
  for (const store of stores) store.drain()
  assertWhole(stores[0]!)
}
