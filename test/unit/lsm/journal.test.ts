/** Changes of a tree in the shared log: what is in it, what does not fit, what happens if it is full or does not work. */
import { describe, expect, it } from 'vitest'
import { COMMITTER_WORDS } from '../../../src/lsm/shared-log.ts'
import { LOG_FAILED, LOG_NO_SPACE, LOG_WORKS } from '../../../src/lsm/log-committer.ts'
import { TYPE_BATCH, TYPE_DELETE, TYPE_PUT } from '../../../src/lsm/log-format.ts'
import { Engine } from '../../../src/store/engine.ts'
import { COMMITTED, LACKING } from '../../../src/tree/commits.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { releaseRing, replayRing, slotsOf, tieredArena } from '../../support/tiers.ts'
import { dieAt, everyStep, hookAtomics } from '../memory/atomics-hook.ts'
import { bytesOf, entries, faults, firstEngine, put, remove, setKey, snapshot } from '../tree/engines.ts'

const tuning = { ...tiny, pageIds: 256, paranoid: true }

function engineWith(granules: number, memory = MIB): Engine {
  const engine = new Engine(tieredArena(granules, { memory, maxThreads: 4, tuning }), 1)
  engine.tree.create()
  return engine
}

type Changes = readonly (readonly [key: string, value: string | null])[]

/** Commits a batch, in the order of its keys. @returns the outcome */
function batch(engine: Engine, changes: Changes): number {
  const { tree, arena } = engine
  const { writer, batchWriter } = tree
  let described = 0
  batchWriter.begin()
  try {
    for (const [key, value] of changes) {
      setKey(engine, key)
      if (value === null) batchWriter.addDeletion(tree.key)
      else {
        const bytes = bytesOf(value)
        if (bytes.length > arena.layout.inlineBytes) writer.writeLarge(tree.key, bytes, bytes.length, true)
        else {
          arena.bytes.set(bytes, writer.begin(tree.key, bytes.length))
          writer.finish(tree.key.length, bytes.length, true)
        }
        batchWriter.add()
      }
    }
    described = batchWriter.describe(null)
  } finally {
    if (described === 0) batchWriter.discard()
  }
  return tree.commits.commit(described)
}

/** What is replayed from the ring, by a store that is only in memory. */
function replayed(engine: Engine): [string, string][] {
  const other = firstEngine({}, MIB)
  replayRing(engine.journal!.log, engine.arena.bytes, other)
  return entries(other)
}

function typesOf({ journal }: Engine): number[] {
  return slotsOf(journal!.log).slots.map((position) => journal!.log.typeAt(position))
}

function code(body: () => unknown): unknown {
  try {
    body()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
  return undefined
}

describe('the log of a tree', () => {
  it('has each change as a slot, values in extents included', () => {
    const engine = engineWith(4096)
    put(engine, 'a', 'first')
    put(engine, 'b', 'x'.repeat(9000))
    put(engine, 'a', 'second')
    expect(remove(engine, 'a')).toBe(true)
    expect(
      batch(engine, [
        ['c', 'y'.repeat(5001)],
        ['d', ''],
        ['e', null],
        ['f', 'abc'],
      ]),
    ).toBe(COMMITTED)
    expect(typesOf(engine)).toEqual([TYPE_PUT, TYPE_PUT, TYPE_PUT, TYPE_DELETE, TYPE_BATCH])
    expect(replayed(engine)).toEqual(entries(engine))
    expect(entries(engine).map(([key]) => key)).toEqual(['b', 'c', 'd', 'f'])
    expect(faults(engine)).toEqual([])
  })

  it('has nothing of what changes nothing', () => {
    const engine = engineWith(256)
    put(engine, 'a', '1')
    expect(remove(engine, 'b')).toBe(false)
    expect(put(engine, 'a', '2', -1)).toBe(false)
    expect(typesOf(engine)).toEqual([TYPE_PUT])
    expect(slotsOf(engine.journal!.log).end).toBe(engine.journal!.frontier())
  })

  it('has nothing of what is replayed, also of deletes', () => {
    const engine = engineWith(256)
    put(engine, 'a', '1')
    engine.replay(() => {
      put(engine, 'b', '2')
      remove(engine, 'a')
    })
    put(engine, 'c', '3')
    expect(typesOf(engine)).toEqual([TYPE_PUT, TYPE_PUT])
    expect(entries(engine)).toEqual([
      ['b', '2'],
      ['c', '3'],
    ])
    expect(faults(engine)).toEqual([])
  })

  it('says where the last change of a thread ends, and waits until that is durable', () => {
    const engine = engineWith(256)
    const journal = engine.journal!
    expect(journal.lastEnd).toBe(-1)
    expect(journal.waitStable(journal.lastEnd, 0)).toBe(true)
    put(engine, 'a', '1')
    expect(journal.lastEnd).toBe(journal.frontier())
    expect(journal.waitStable(journal.lastEnd, 1)).toBe(false)
    batch(engine, [
      ['b', '1'],
      ['c', '1'],
    ])
    expect(journal.lastEnd).toBe(journal.frontier())
    releaseRing(journal.log)
    expect(journal.waitStable(journal.lastEnd, 0)).toBe(true)
  })
})

describe('what does not fit', () => {
  it('is refused, and nothing has changed', () => {
    const engine = engineWith(256)
    put(engine, 'a', '1')
    // Half of the ring: 128 granules, less the header of the record and that of the change, and the key.
    expect(code(() => put(engine, 'a', 'x'.repeat(128 * 32 - 16 - 4 - 1 + 1)))).toBe('HEDDLE_TOO_LARGE')
    expect(
      code(() =>
        batch(engine, [
          ['a', 'x'.repeat(2100)],
          ['b', 'x'.repeat(2100)],
        ]),
      ),
    ).toBe('HEDDLE_TOO_LARGE')
    expect(entries(engine)).toEqual([['a', '1']])
    expect(put(engine, 'a', 'x'.repeat(128 * 32 - 16 - 4 - 1))).toBe(true)
    expect(replayed(engine)).toEqual(entries(engine))
    expect(faults(engine)).toEqual([])
  })

  it('is far more than a header could count granules, in a large ring', () => {
    const engine = engineWith(16384, 8 * MIB)
    const { log } = engine.journal!
    for (let round = 0; round < 7; round++) {
      put(engine, 'large', String(round).repeat(100_000 + round * 7777))
      put(engine, 'small', String(round))
      expect(replayed(engine)).toEqual(entries(engine))
      releaseRing(log)
      expect(log.stable()).toBe(log.frontier())
    }
    expect(faults(engine)).toEqual([])
  })
})

describe('a log that is full', () => {
  it('makes writers wait, and refuses them when nothing happens', () => {
    const engine = engineWith(8)
    const journal = engine.journal!
    journal.waitMs = 1
    journal.patience = 3
    for (let i = 0; i < 7; i++) put(engine, 'a', String(i))
    expect(code(() => put(engine, 'b', '1'))).toBe('HEDDLE_IO')
    expect(code(() => remove(engine, 'a'))).toBe('HEDDLE_IO')
    expect(
      batch(engine, [
        ['a', '8'],
        ['b', '8'],
      ]),
    ).toBe(LACKING)
    expect(code(() => engine.tree.commits.makeRoom())).toBe('HEDDLE_IO')
    expect(entries(engine)).toEqual([['a', '6']])
    releaseRing(journal.log)
    expect(engine.tree.commits.makeRoom()).toBe(true)
    expect(
      batch(engine, [
        ['a', '8'],
        ['b', '8'],
      ]),
    ).toBe(COMMITTED)
    expect(remove(engine, 'a')).toBe(true)
    expect(entries(engine)).toEqual([['b', '8']])
    expect(faults(engine)).toEqual([])
  })

  it('is closed to writers when it is sealed', () => {
    const engine = engineWith(64)
    put(engine, 'a', '1')
    engine.journal!.log.seal()
    expect(code(() => put(engine, 'a', '2'))).toBe('HEDDLE_CLOSED')
    expect(code(() => remove(engine, 'a'))).toBe('HEDDLE_CLOSED')
    expect(entries(engine)).toEqual([['a', '1']])
    expect(faults(engine)).toEqual([])
  })
})

describe('a log that does not work', () => {
  it.each([
    [LOG_FAILED, 'HEDDLE_IO'],
    [LOG_NO_SPACE, 'HEDDLE_NO_SPACE'],
  ])('in state %i refuses with %s, and nothing has changed', (state, expected) => {
    const engine = engineWith(64)
    const { log } = engine.journal!
    put(engine, 'a', '1')
    Atomics.store(log.words, log.at + COMMITTER_WORDS, state)
    expect(code(() => put(engine, 'a', '2'))).toBe(expected)
    expect(code(() => remove(engine, 'a'))).toBe(expected)
    expect(
      code(() =>
        batch(engine, [
          ['a', '2'],
          ['b', '2'],
        ]),
      ),
    ).toBe(expected)
    expect(code(() => engine.journal!.waitStable(engine.journal!.frontier(), 10))).toBe(expected)
    expect(entries(engine)).toEqual([['a', '1']])
    expect(replayed(engine)).toEqual([['a', '1']])
    Atomics.store(log.words, log.at + COMMITTER_WORDS, LOG_WORKS)
    expect(put(engine, 'a', '2')).toBe(true)
    expect(faults(engine)).toEqual([])
  })

  it('for lack of room, and works again before the error is made, is not said to have failed', () => {
    const engine = engineWith(64)
    const { log } = engine.journal!
    const { words } = log
    const at = log.at + COMMITTER_WORDS
    const codes = new Set<unknown>()
    for (let step = 1; step <= 4; step++) {
      Atomics.store(words, at, LOG_NO_SPACE)
      const works = (call: number): void => {
        if (call === step) Atomics.store(words, at, LOG_WORKS)
      }
      codes.add(code(() => hookAtomics(works, () => engine.journal!.admit(8))))
    }
    expect(codes).toEqual(new Set([undefined, 'HEDDLE_NO_SPACE']))
  })
})

const operations: Record<string, (engine: Engine) => unknown> = {
  'an insert': (engine) => put(engine, 'n', '1'),
  'an overwrite': (engine) => put(engine, 'c', '1'),
  'a large value': (engine) => put(engine, 'c', 'x'.repeat(5000)),
  'a delete': (engine) => remove(engine, 'c'),
  'a batch': (engine) =>
    batch(engine, [
      ['a', '1'],
      ['c', null],
      ['n', '1'],
    ]),
}

describe.each(Object.entries(operations))('%s', (_, operation) => {
  const engine = engineWith(1024)
  for (const key of 'abcdefg') put(engine, key, key)
  const back = snapshot(engine.arena)

  it('is in the log if it is in the tree, wherever its thread dies', () => {
    const outcomes = new Set<string>()
    const steps = everyStep((step) => {
      back()
      const survivor = new Engine(engine.arena, 2)
      const victim = new Engine(engine.arena, 9)
      const dead = dieAt(step, () => void operation(victim))
      if (!dead) return false
      survivor.scheme.reap(9)
      const { log } = survivor.journal!
      expect(slotsOf(log).end, `step ${step}`).toBe(log.frontier())
      expect(replayed(survivor), `step ${step}`).toEqual(entries(survivor))
      outcomes.add(String(entries(survivor)))
      return true
    })
    expect(steps).toBeGreaterThan(10)
    expect(outcomes.size).toBe(2)
  })
})

describe('an exception out of nowhere', () => {
  it.each(Object.entries(operations))('leaves no slot behind in %s', (_, operation) => {
    class Unwound extends Error {}
    everyStep((step) => {
      const engine = engineWith(1024)
      for (const key of 'abc') put(engine, key, key)
      let thrown = false
      try {
        hookAtomics(
          (call) => {
            if (call !== step) return
            thrown = true
            throw new Unwound()
          },
          () => void operation(engine),
        )
      } catch (error) {
        if (!(error instanceof Unwound)) throw error
      }
      if (!thrown) return false
      const { log } = engine.journal!
      expect(engine.journal!.held).toBe(-1)
      put(engine, 'z', 'z')
      put(engine, 'c', 'c')
      expect(slotsOf(log).end, `step ${step}`).toBe(log.frontier())
      expect(replayed(engine), `step ${step}`).toEqual(entries(engine))
      return true
    })
  })
})
