/** Exceptions out of nowhere, as want of stack is, in the middle of a change, whose thread goes on, or dies later. */
import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { ISOLATION_SERIALIZABLE } from '../../../src/tree/descriptor.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { mapsOf, slotsOf, tieredArena } from '../../support/tiers.ts'
import { everyStep, hookAtomics } from '../memory/atomics-hook.ts'
import { bytesOf, entries, put, remove, setKey, snapshot } from '../tree/engines.ts'

const VICTIM = 9

class Unwound extends Error {}

/** Throws at one Atomics call. @returns whether it came so far */
function unwindAt(step: number, body: () => void): boolean {
  let thrown = false
  try {
    hookAtomics((call) => {
      if (call !== step) return
      thrown = true
      throw new Unwound()
    }, body)
  } catch (error) {
    if (!(error instanceof Unwound)) throw error
  }
  return thrown
}

/** Sets keys together. @param read a key that a transaction has read; none for a batch */
function batch(engine: Engine, keys: string, value: string, read?: string): void {
  const { tree, arena, snapshots } = engine
  const { writer, batchWriter } = tree
  const mark = snapshots.take(0)
  const reads = { isolation: ISOLATION_SERIALIZABLE, mark, keys: [bytesOf(read ?? '')], ranges: [] }
  let described = 0
  batchWriter.begin()
  try {
    for (const key of keys) {
      setKey(engine, key)
      arena.bytes[writer.begin(tree.key, 1)] = value.charCodeAt(0)
      writer.finish(1, 1, true)
      batchWriter.add()
    }
    described = batchWriter.describe(read === undefined ? null : reads)
  } finally {
    if (described === 0) batchWriter.discard()
  }
  try {
    tree.commits.commit(described)
  } finally {
    snapshots.close(mark)
  }
}

const operations: Record<string, (engine: Engine) => unknown> = {
  'a batch': (e) => batch(e, 'ac', '1'),
  'a transaction': (e) => batch(e, 'ac', '1', 'b'),
  'a put': (e) => put(e, 'a', '1'),
  'a delete': (e) => remove(e, 'a'),
}

const sequels: Record<string, (engine: Engine) => unknown> = {
  nothing: () => {},
  'another batch': (e) => batch(e, 'ef', '2'),
  'a delete of nothing': (e) => remove(e, 'zz'),
  'a delete of another key': (e) => remove(e, 'e'),
  'a put': (e) => put(e, 'e', '2'),
}

const tuning = { ...tiny, pageIds: 64, paranoid: true }
const first = new Engine(tieredArena(256, { memory: MIB, maxThreads: 6, tuning }), 1)
first.tree.create()
for (const key of 'abcdef') put(first, key, key)
first.detach()
const { arena } = first
const back = snapshot(arena)

describe.each(Object.entries(operations))('%s that an exception ends', (_, operation) => {
  it.each(Object.entries(sequels))(
    'holds up nobody, and is in the log if it is in the tree, after %s',
    (_name, sequel) => {
      const steps = everyStep((step) => {
        back()
        const [survivor, victim] = [new Engine(arena, 2), new Engine(arena, VICTIM)]
        if (!unwindAt(step, () => void operation(victim))) return false
        sequel(victim)
        const { log } = survivor.journal!
        expect(slotsOf(log).end, `step ${step}`).toBe(log.frontier())
        survivor.scheme.reap(VICTIM)
        // Who comes to the same keys brings to an end what is left of it.
        for (const key of 'ag') put(survivor, key, '5')
        expect(slotsOf(log).end, `step ${step}`).toBe(log.frontier())
        expect(mapsOf(log, arena.bytes).at(-1), `step ${step}`).toEqual(new Map(entries(survivor)))
        return true
      })
      expect(steps).toBeGreaterThan(20)
    },
  )
})
