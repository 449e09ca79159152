import { open, type OpenOptions, type Store } from '../../src/index.ts'

export const MIB = 2 ** 20

/** Pages so small that a handful of entries splits and merges them. */
export const tinyPages = { leafEntries: 4, leafSlots: 2, innerEntries: 4 } as const

/** Pages and segments so small that ordinary tests run every rare path. */
export const tiny = { ...tinyPages, segmentWords: 4096 } as const

/** A small store without a background worker, typed by what its codecs take. */
export function openStore<K = string, V = string>(options: OpenOptions = {}): Store<K, V> {
  return open({ memory: 8 * MIB, cleaner: false, ...options }) as unknown as Store<K, V>
}

/** Runs `body` on a store of its own, and checks after it that the store is whole and that nothing leaked. */
export function withStore<K = string, V = string>(options: OpenOptions, body: (store: Store<K, V>) => void): void {
  const store = openStore<K, V>(options)
  try {
    body(store)
    assertWhole(store)
  } finally {
    store.close()
  }
}

/** Everything that is wrong with a store at rest, in words; none if it is whole and has lost no memory. */
export function faults<K, V>(store: Store<K, V>): string[] {
  store.drain()
  const report = store.verify()
  const found = [...report.problems]
  if (!report.ok) found.push('verify() says not ok')
  if (report.leakedWords !== 0) found.push(`${report.leakedWords} words leaked`)
  if (report.leakedPageIds !== 0) found.push(`${report.leakedPageIds} page ids leaked`)
  // A partial tree keeps deletions until they are below, and has not everything.
  if (store.stats().partial === 1) return found
  if (report.kept !== 0 && store.stats().snapshotsLive === 0) found.push(`${report.kept} versions are kept for nobody`)
  const scanned = countEntries(store)
  if (report.entries !== scanned) found.push(`verify() counts ${report.entries} entries, a scan ${scanned}`)
  if (store.size !== scanned) found.push(`size is ${store.size}, a scan counts ${scanned} entries`)
  return found
}

/** Throws unless the store, at rest and drained, is whole: nothing leaked, and every count of its entries agrees. */
export function assertWhole<K, V>(store: Store<K, V>): void {
  const found = faults(store)
  if (found.length > 0) throw new Error(`the store is not whole:\n  ${found.join('\n  ')}`)
}

/** As assertWhole, but gives the reaping of workers that have just ended a few more chances. */
export async function settle<K, V>(store: Store<K, V>): Promise<void> {
  for (let attempt = 0; attempt < 100 && faults(store).length > 0; attempt++) await pause(20)
  assertWhole(store)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function countEntries<K, V>(store: Store<K, V>): number {
  let count = 0
  for (const _ of store.keys()) count++
  return count
}
