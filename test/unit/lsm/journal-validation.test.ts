/** Transactions that meet, while they are looked at again, one that was aborted and has not been given its end. */
import { expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { ISOLATION_SERIALIZABLE } from '../../../src/tree/descriptor.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { COMMITTED } from '../../../src/tree/commits.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { mapsOf, slotsOf, tieredArena } from '../../support/tiers.ts'
import { dieAt, everyStep } from '../memory/atomics-hook.ts'
import { bytesOf, entries, get, put, setKey, snapshot } from '../tree/engines.ts'

const VICTIM = 9

/** Commits what has read a key at a snapshot, and sets others. @returns the outcome */
function commit(engine: Engine, mark: Mark, read: string, writes: string, value: string): number {
  const { tree, arena } = engine
  const { writer, batchWriter } = tree
  batchWriter.begin()
  for (const key of writes) {
    setKey(engine, key)
    arena.bytes[writer.begin(tree.key, 1)] = value.charCodeAt(0)
    writer.finish(1, 1, true)
    batchWriter.add()
  }
  const reads = { isolation: ISOLATION_SERIALIZABLE, mark, keys: [bytesOf(read)], ranges: [] }
  return tree.commits.commit(batchWriter.describe(reads))
}

it('a transaction is in the log if it is in the tree, whatever it has read of one that was aborted and has died', () => {
  const tuning = { ...tiny, pageIds: 64, paranoid: true }
  const first = new Engine(tieredArena(256, { memory: MIB, maxThreads: 6, tuning }), 1)
  first.tree.create()
  for (const key of 'abcd') put(first, key, key)
  first.detach()
  const { arena } = first
  const back = snapshot(arena)
  let committed = 0
  const deaths = everyStep((death) => {
    back()
    const [survivor, other, victim] = [new Engine(arena, 2), new Engine(arena, 3), new Engine(arena, VICTIM)]
    // The victim's is aborted, since what it has read is overwritten.
    const broken = victim.snapshots.take(0)
    put(survivor, 'd', '2')
    if (!dieAt(death, () => void commit(victim, broken, 'd', 'a', '1'))) return false
    const mark = other.snapshots.take(0)
    const isCommitted = commit(other, mark, 'a', 'bc', '3') === COMMITTED
    other.snapshots.close(mark)
    if (isCommitted) committed++
    expect(get(survivor, 'b'), `death ${death}`).toBe(isCommitted ? '3' : 'b')
    survivor.scheme.reap(VICTIM)
    const { log } = survivor.journal!
    expect(slotsOf(log).end, `death ${death}`).toBe(log.frontier())
    expect(mapsOf(log, arena.bytes).at(-1), `death ${death}`).toEqual(new Map(entries(survivor)))
    return true
  })
  expect(deaths).toBeGreaterThan(30)
  expect(committed).toBeGreaterThan(30)
})
