import fc from 'fast-check'
import { compact, evictAll, flush, kitOf } from '../support/partial-store.ts'
import { command, type StoreCommand } from './command.ts'

/** What happens behind a partial tree: none of it changes what the store is. */
export function partialCommands<K, V>(): fc.Arbitrary<StoreCommand<K, V>>[] {
  const flushing = command<K, V>('a flush', (_model, store) => void flush(kitOf(store)!))
  const evicting = command<K, V>('an eviction', (_model, store) => void evictAll(kitOf(store)!))
  const clearing = command<K, V>('a flush and an eviction', (_model, store) => {
    flush(kitOf(store)!)
    evictAll(kitOf(store)!)
  })
  const compacting = command<K, V>('a compaction', (_model, store) => compact(kitOf(store)!))
  return [fc.constant(flushing), fc.constant(evicting), fc.constant(clearing), fc.constant(compacting)]
}
