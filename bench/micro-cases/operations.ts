/** The operations of a store, on records of a 16-byte key and a 100-byte value. */
import type { Store } from '../../src/index.ts'
import { drawStrings } from '../draws.ts'
import { VALUE_BYTES, keyOf } from '../load.ts'
import type { loadModule } from '../modules.ts'
import { type Case, type CaseMaker, type Counters, Riser, engineOf, must } from './case.ts'

export interface OperationKit {
  readonly index: Awaited<ReturnType<typeof loadModule<'index'>>>
  readonly participant: Counters
}

const BATCH = 1000
/** What a record takes, generously: there has to be room for what is dead as well. */
const ROOM_BYTES = 512

/** A loaded store, and keys for one call at a time: flat strings in the order of their use. */
class Bed {
  readonly store: Store<string, Uint8Array>
  readonly records: number
  private readonly counters: Counters
  readonly value = Buffer.alloc(VALUE_BYTES, 'v')
  keys: string[] = []
  private seed = 1
  private nextKey: number

  constructor({ index, participant }: OperationKit, records: number) {
    this.counters = participant
    this.records = records
    this.nextKey = records
    this.store = index.open({ memory: 2 ** 25 + records * ROOM_BYTES, values: 'binary', cleaner: false })
    for (let i = 0; i < records; i++) this.store.set(keyOf(i), this.value)
  }

  riser(counter: 'inserts' | 'deletes'): Riser {
    return new Riser(this.counters, () => engineOf(this.store), counter)
  }

  drawPresent(): void {
    this.keys = drawStrings(BATCH, this.seed++, this.records)
  }

  /** Keys that have never been there. */
  drawAbsent(): void {
    this.keys = []
    for (let i = 0; i < BATCH; i++) this.keys.push(keyOf(this.nextKey++))
  }
}

/** A measurement that reads: `run` gives what it has added up, which must be `expected`. */
function reading(bed: Bed, expected: number, read: (bed: Bed) => number): Case {
  let sum = 0
  return {
    operations: BATCH,
    prepare: () => bed.drawPresent(),
    run() {
      sum = read(bed)
    },
    check: () => must(sum === expected, 'reads of what is there'),
    finish: () => bed.store.close(),
  }
}

function overwriteCase(bed: Bed): Case {
  let stamp = 0
  return {
    operations: BATCH,
    prepare() {
      bed.drawPresent()
      stamp = (stamp + 1) & 0xff
      bed.value[0] = stamp
    },
    run() {
      for (const key of bed.keys) bed.store.set(key, bed.value)
    },
    check() {
      must(
        bed.keys.every((key) => bed.store.get(key)![0] === stamp),
        'overwrites',
      )
    },
    finish: () => bed.store.close(),
  }
}

function insertCase(bed: Bed): Case {
  const inserts = bed.riser('inserts')
  return {
    operations: BATCH,
    prepare() {
      for (const key of bed.keys) bed.store.delete(key)
      bed.drawAbsent()
      inserts.mark()
    },
    run() {
      for (const key of bed.keys) bed.store.set(key, bed.value)
    },
    check: () => must(inserts.risen() === BATCH, 'inserts'),
    finish: () => bed.store.close(),
  }
}

function deleteCase(bed: Bed): Case {
  const deletes = bed.riser('deletes')
  return {
    operations: BATCH,
    prepare() {
      bed.drawAbsent()
      for (const key of bed.keys) bed.store.set(key, bed.value)
      deletes.mark()
    },
    run() {
      for (const key of bed.keys) bed.store.delete(key)
    },
    check: () => must(deletes.risen() === BATCH, 'deletes'),
    finish: () => bed.store.close(),
  }
}

function cursorCase(bed: Bed): Case {
  let from = ''
  let bytes = 0
  return {
    operations: BATCH,
    prepare() {
      bed.drawPresent()
      // From the lower half of the keys, so that enough of them follow.
      from = bed.keys.find((key) => key < 'i') ?? ''
    },
    run() {
      bytes = 0
      for (const entry of bed.store.entries({ gte: from, limit: BATCH })) bytes += entry[1].length
    },
    check: () => must(bytes === BATCH * VALUE_BYTES, 'steps of a cursor'),
    finish: () => bed.store.close(),
  }
}

function readGet({ store, keys }: Bed): number {
  let sum = 0
  for (const key of keys) sum += store.get(key)!.length
  return sum
}

const target = new Uint8Array(VALUE_BYTES)

function readGetInto({ store, keys }: Bed): number {
  let sum = 0
  for (const key of keys) sum += store.getInto(key, target)
  return sum
}

function readHas({ store, keys }: Bed): number {
  let found = 0
  for (const key of keys) if (store.has(key)) found++
  return found
}

function callUpdate({ store, keys, value }: Bed): number {
  let bytes = 0
  for (const key of keys) {
    store.update(key, (old) => {
      bytes += old!.length
      return value
    })
  }
  return bytes
}

function swapEqual({ store, keys, value }: Bed): number {
  let swapped = 0
  // The same bytes again: it writes and links a new record all the same, and always succeeds.
  for (const key of keys) if (store.compareAndSet(key, value, value)) swapped++
  return swapped
}

/** get, getInto, has, set, insert, delete, update, compareAndSet, cursor. */
export function operationCases(kit: OperationKit, records: number): CaseMaker[] {
  const bed = (): Bed => new Bed(kit, records)
  return [
    { name: 'get', make: () => reading(bed(), BATCH * VALUE_BYTES, readGet) },
    { name: 'getInto', make: () => reading(bed(), BATCH * VALUE_BYTES, readGetInto) },
    { name: 'has', make: () => reading(bed(), BATCH, readHas) },
    { name: 'set, overwriting', make: () => overwriteCase(bed()) },
    { name: 'set, inserting', make: () => insertCase(bed()) },
    { name: 'delete', make: () => deleteCase(bed()) },
    { name: 'update', make: () => reading(bed(), BATCH * VALUE_BYTES, callUpdate) },
    { name: 'compareAndSet', make: () => reading(bed(), BATCH, swapEqual) },
    { name: 'cursor step', make: () => cursorCase(bed()) },
  ]
}
