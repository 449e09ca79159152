import type { Snapshot, Store, Transaction } from '../../../src/index.ts'
import { random, type Random } from '../random.ts'
import { stopped, workerMain } from '../worker-main.ts'
import { assertOneValue, counterKey, groupKeys, groups, StormWords, type StormData } from '../storm-words.ts'

/** Snapshots of this thread that are live: at most three, since others have some too. */
const live: Snapshot<string, string>[] = []

// All operations at once on tiny pages, to be killed at any moment. Before and after each addition to a counter its thread
// says so in shared memory, so that what a counter must hold is known whatever the moment.
workerMain<StormData, number>((store, { words: buffer, slots, counters, slot, seed, gate, bigValues }) => {
  const words = new StormWords(buffer, slots, counters)
  const rng = random(seed)
  let count = 0
  while (!stopped(gate)) {
    if (rng.chance(40)) add(store, words, slot, rng.int(counters), rng.chance(50))
    else other(store, rng, slot, bigValues)
    words.finished(slot)
    count++
  }
  return count
})

function add(store: Store<string, string>, words: StormWords, slot: number, counter: number, swap: boolean): void {
  const key = counterKey(counter)
  const plusOne = (old: string | undefined): string => String(Number(old ?? '0') + 1)
  words.begin(slot, counter)
  if (swap) {
    for (;;) {
      const old = store.get(key)
      if (store.compareAndSet(key, old, plusOne(old))) break
    }
  } else {
    store.update(key, plusOne)
  }
  words.end(slot, counter)
}

function other(store: Store<string, string>, rng: Random, slot: number, bigValues: boolean): void {
  const mine = `${counterKey(rng.int(4))} ${slot} ${rng.int(40)}`
  const shared = `shared ${rng.int(60)}`
  const key = rng.chance(50) ? mine : shared
  const big = bigValues && rng.chance(10)
  const value = 'v'.repeat(big ? 2000 + rng.int(40_000) : rng.int(80))
  switch (rng.int(11)) {
    case 10:
      checkGroup(store, rng)
      break
    case 9:
      writeGroup(store, rng, bigValues)
      break
    case 8:
      look(store, rng, key)
      break
    case 0:
    case 1:
      store.set(key, value)
      break
    case 2:
    case 3:
      store.delete(key)
      break
    case 4:
      store.setIfAbsent(key, value)
      break
    case 5:
      store.getInto(key, new Uint8Array(50_000))
      break
    case 6:
      scan(store, rng, key)
      break
    default:
      for (let i = rng.int(40); i > 0; i--) store.delete(`${counterKey(rng.int(4))} ${slot} ${i}`)
      if (rng.chance(5)) store.drain()
  }
}

/** Takes a snapshot, or reads one twice, which must give the same, or closes one. */
function look(store: Store<string, string>, rng: Random, from: string): void {
  const snapshot = live[rng.int(3)]
  if (snapshot === undefined) {
    if (live.length < 3) live.push(store.snapshot())
    return
  }
  if (rng.chance(30)) {
    live.splice(live.indexOf(snapshot), 1)
    snapshot.close()
    return
  }
  const once = [...snapshot.entries({ gte: from, limit: 30 })]
  const again = [...snapshot.entries({ gte: from, limit: 30 })]
  if (String(once) !== String(again)) throw new Error(`a snapshot gave ${String(once)}, then ${String(again)}`)
  for (const [key, value] of once) {
    if (snapshot.get(key) !== value) throw new Error(`a snapshot gave another value for ${key} than in its entries`)
  }
}

/** Writes one number to all keys of a group, or deletes them all, between keys that others write. */
function writeGroup(store: Store<string, string>, rng: Random, bigValues: boolean): void {
  const group = rng.int(groups)
  if (rng.chance(30)) {
    const add = (text = '0'): string => String(Number.parseInt(text, 10) + 1)
    const isolation = rng.chance(50) ? 'serializable' : 'snapshot'
    const addToAll = (tx: Transaction<string, string>): void => {
      for (const key of groupKeys(group)) tx.set(key, add(tx.get(key)))
    }
    store.transaction(addToAll, { isolation, attempts: 1_000_000 })
    return
  }
  const value = `${rng.int(1000)}${bigValues && rng.chance(10) ? ' '.repeat(rng.int(10_000)) : ''}`
  const isGone = rng.chance(25)
  store.batch(groupKeys(group).map((key) => (isGone ? { type: 'delete', key } : { type: 'set', key, value })))
}

/** At one moment all keys of a group hold the same number, or none is there. */
function checkGroup(store: Store<string, string>, rng: Random): void {
  const keys = groupKeys(rng.int(groups))
  const found = rng.chance(50)
    ? store.transaction((tx) => keys.map((key) => tx.get(key)))
    : readAt(store, (snapshot) => keys.map((key) => snapshot.get(key)))
  assertOneValue(found)
}

function readAt<T>(store: Store<string, string>, read: (snapshot: Snapshot<string, string>) => T): T {
  const snapshot = store.snapshot()
  const result = read(snapshot)
  snapshot.close()
  return result
}

function scan(store: Store<string, string>, rng: Random, from: string): void {
  const reverse = rng.chance(50)
  let last: string | undefined
  for (const key of store.keys(reverse ? { lte: from, reverse, limit: 30 } : { gte: from, limit: 30 })) {
    if (last !== undefined && key < last !== reverse) throw new Error(`${last} before ${key}, reverse: ${reverse}`)
    last = key
  }
}
