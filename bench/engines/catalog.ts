/** All engines by name: which module and variant, which package, and how many threads may have it open. */
import type { Engine, EngineModule } from './engine.ts'

export interface Entry {
  readonly name: string
  readonly load: () => Promise<EngineModule>
  readonly variant: string
  /** Its npm package; null if it has none of its own. */
  readonly package: string | null
  /** Whether several threads can have it open. */
  readonly threads: 'many' | 'one'
  /** Whether it waits for the disk, so that its files must lie on one. */
  readonly durable: boolean
  /** Whether what was flushed, and settled, is durable. */
  readonly settles: boolean
  /** Whether it takes part without being named. */
  readonly usual: boolean
  readonly about: string
}

function entry(name: string, about: string, load: Entry['load'], rest: Partial<Entry>): Entry {
  const usual = { variant: '', package: name, threads: 'many', durable: false, usual: true } as const
  return { name, about, load, ...usual, settles: rest.durable === true, ...rest }
}

export const ENTRIES: readonly Entry[] = [
  entry('heddle', 'this package, as built', () => import('./heddle.ts'), { package: null }),
  entry('heddle-group', 'in a directory; the log is synced every 10 ms', () => import('./heddle.ts'), {
    variant: 'group',
    package: null,
    durable: true,
    usual: false,
  }),
  entry('heddle-sync', 'in a directory; each write waits for the disk', () => import('./heddle.ts'), {
    variant: 'sync',
    package: null,
    durable: true,
    usual: false,
  }),
  entry('lmdb', 'noSync; 1,000 writes a transaction', () => import('./lmdb.ts'), { variant: 'nosync-batch' }),
  entry('lmdb-single', 'noSync; a transaction for each write', () => import('./lmdb.ts'), {
    variant: 'nosync-single',
    package: 'lmdb',
  }),
  entry('lmdb-sync', 'waits for the disk; 1,000 writes a transaction', () => import('./lmdb.ts'), {
    variant: 'sync-batch',
    package: 'lmdb',
    durable: true,
    usual: false,
  }),
  entry('lmdb-sync-single', 'waits for the disk; a transaction for each write', () => import('./lmdb.ts'), {
    variant: 'sync-single',
    package: 'lmdb',
    durable: true,
    usual: false,
  }),
  entry('lmdb-async', 'as it comes: promises of puts, each waited for until it is flushed', () => import('./lmdb.ts'), {
    variant: 'async',
    package: 'lmdb',
    durable: true,
    usual: false,
  }),
  entry('sharedmap', 'shared hash map with locks: no order', () => import('./sharedmap.ts'), {}),
  entry('map', 'a Map of one thread: no sharing, no order', () => import('./map.ts'), {
    package: null,
    threads: 'one',
  }),
  entry('map-port', 'a Map of one thread behind MessagePorts, 100 messages under way', () => import('./map-port.ts'), {
    variant: 'single',
    package: null,
  }),
  entry('map-port-batch', 'the same, 100 operations a message', () => import('./map-port.ts'), {
    variant: 'batch',
    package: null,
    usual: false,
  }),
  entry('sorted-btree', 'B+ tree of one thread: no sharing', () => import('./sorted-btree.ts'), { threads: 'one' }),
  entry('memory-level', 'red-black tree of one thread; 1,000 writes a batch', () => import('./memory-level.ts'), {
    threads: 'one',
  }),
  entry('classic-level', 'LevelDB; 1,000 writes a batch', () => import('./classic-level.ts'), {}),
  entry('classic-level-sync', 'the same, waiting for the disk', () => import('./classic-level.ts'), {
    variant: 'sync',
    package: 'classic-level',
    durable: true,
    usual: false,
  }),
  entry('rocksdb', 'RocksDB, asynchronous; 1,000 operations under way', () => import('./rocksdb.ts'), {
    threads: 'one',
  }),
  entry('rocksdb-sync', 'the same, waiting for the disk', () => import('./rocksdb.ts'), {
    variant: 'sync',
    package: 'rocksdb',
    threads: 'one',
    durable: true,
    usual: false,
  }),
  entry('sqlite', 'better-sqlite3, WAL, synchronous=OFF; 1,000 writes a transaction', () => import('./sqlite.ts'), {
    variant: 'off-batch',
    package: 'better-sqlite3',
  }),
  entry('sqlite-single', 'the same, each write committed', () => import('./sqlite.ts'), {
    variant: 'off-single',
    package: 'better-sqlite3',
    usual: false,
  }),
  entry(
    'sqlite-normal',
    'better-sqlite3, WAL, synchronous=NORMAL; 1,000 writes a transaction',
    () => import('./sqlite.ts'),
    {
      variant: 'normal-batch',
      package: 'better-sqlite3',
      durable: true,
      // It waits when it moves its log into the database, not when it commits.
      settles: false,
      usual: false,
    },
  ),
]

export function findEntry(name: string): Entry {
  const found = ENTRIES.find((candidate) => candidate.name === name)
  if (found === undefined) {
    throw new Error(`there is no engine ${name}; there are ${ENTRIES.map((candidate) => candidate.name).join(', ')}`)
  }
  return found
}

/** Loads an engine's module. Throws if its package is not installed or does not load. */
export async function loadEngine(name: string): Promise<Engine> {
  const { load, variant } = findEntry(name)
  return (await load()).create(variant)
}
