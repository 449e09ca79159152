import type { Store } from '../../../src/index.ts'
import { random } from '../random.ts'
import { stop } from '../crew.ts'
import { stopped, workerMain } from '../worker-main.ts'

export interface SnapshotOrWrite {
  readonly seed: number
  /** Threads up to this one take snapshots; the others write. */
  readonly takers: number
  readonly threads: number
  readonly snapshots: number
  /** Keys that a writer writes, one after the other, before it begins again with the next number. */
  readonly keys: number
  /** Whether a writer deletes its keys instead, at every third number. */
  readonly deletes: boolean
}

const name = (writer: number, key: number): string => `${writer} ${String(key).padStart(3, '0')}`

// A writer writes one number to each of its keys, in their order. So at any moment the numbers fall once, by one, from its
// first key to its last. A scan that is not of one moment sees them rise, or fall by more.
workerMain<SnapshotOrWrite, number>((store, given) => {
  if (given.thread >= given.takers) {
    let number = 1
    while (!stopped(given.gate)) write(store, given, number++)
    return number
  }
  const rng = random(given.seed * 100 + given.thread)
  let moved = 0
  const last = new Array<number>(given.threads).fill(0)
  for (let i = 0; i < given.snapshots; i++) {
    for (let writer = given.takers; writer < given.threads; writer++) moved += take(store, given, writer, last)
    if (rng.chance(2)) store.drain()
  }
  stop(given.gate)
  return moved
})

function write(
  store: Store<string, string>,
  { thread, keys, deletes }: SnapshotOrWrite & { thread: number },
  n: number,
): void {
  for (let key = 0; key < keys; key++) {
    if (deletes && n % 3 === 0) store.delete(name(thread, key))
    else store.set(name(thread, key), String(n))
  }
}

/** Looks at a writer's keys at one moment. @returns whether it has gone on since the last time */
function take(
  store: Store<string, string>,
  { keys, deletes }: SnapshotOrWrite,
  writer: number,
  last: number[],
): number {
  const before = Number(store.get(name(writer, 0)) ?? 0)
  const snapshot = store.snapshot()
  const found = new Map([...snapshot.entries({ prefix: `${writer} ` })])
  const numbers = Array.from({ length: keys }, (_, key) => Number(found.get(name(writer, key)) ?? 0))
  const again = numbers.map((_, key) => Number(snapshot.get(name(writer, key)) ?? 0))
  snapshot.close()
  const shown = `${numbers.join(' ')}, then ${again.join(' ')}, after ${before}`
  if (String(numbers) !== String(again)) throw new Error(`a snapshot is of two moments: ${shown}`)
  const steps = numbers.slice(1).filter((number, i) => number !== numbers[i]!)
  if (steps.length > 1) throw new Error(`a snapshot is of several moments: ${shown}`)
  const [first, end] = [numbers[0]!, numbers.at(-1)!]
  // A number that three divides stands as absence.
  const fits = end === first || end === first - 1 || (deletes && (first === 0 || end === 0))
  if (!fits) throw new Error(`a snapshot is of several moments: ${shown}`)
  if (first !== 0 && first < Math.max(before, last[writer]!)) throw new Error(`a snapshot is of the past: ${shown}`)
  const moved = first > last[writer]! ? 1 : 0
  last[writer] = Math.max(first, last[writer]!)
  return moved
}
