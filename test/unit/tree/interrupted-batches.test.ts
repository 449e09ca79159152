/** Batches and transactions whose owner is stopped after any of its steps, for a while or for good. */
import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { ISOLATION_SERIALIZABLE, ISOLATION_SNAPSHOT } from '../../../src/tree/descriptor.ts'
import type { Reads } from '../../../src/tree/batch-writer.ts'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { COMMITTED } from '../../../src/tree/commits.ts'
import { dieAt, hookAtomics, interruptAt } from '../memory/atomics-hook.ts'
import { bytesOf, entries, faults, firstEngine, get, put, remove, setKey, snapshot } from './engines.ts'
import { cleanAll } from './works.ts'

const DEAD = 9
const large = 'x'.repeat(9000)
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** New values by key, null to delete. */
type Group = readonly (readonly [string, string | null])[]

/** Overwrites, inserts that split, deletions that empty leaves, a value in pieces, a key that is absent. */
const group: Group = [
  ...range(5).map((i) => [`k1${i}n`, 'new'] as const),
  ...range(4).map((i) => [`k${20 + i * 2}`, null] as const),
  ['k28', 'new'],
  ['k30', large],
  ['k31', null],
  ['k50', 'new'],
  ['k52', null],
]

/** Commits a group. @returns whether it was */
function commit(engine: Engine, changes: Group, reads: Reads | null = null): boolean {
  const { tree, arena } = engine
  const { writer, batchWriter } = tree
  batchWriter.begin()
  for (const [key, value] of changes) {
    setKey(engine, key)
    if (value === null) batchWriter.addDeletion(tree.key)
    else {
      const bytes = bytesOf(value)
      if (bytes.length > arena.layout.inlineBytes) writer.writeLarge(tree.key, bytes, bytes.length, false)
      else {
        arena.bytes.set(bytes, writer.begin(tree.key, bytes.length))
        writer.finish(tree.key.length, bytes.length, false)
      }
      batchWriter.add()
    }
  }
  return tree.commits.commit(batchWriter.describe(reads)) === COMMITTED
}

/** Commits a group as a transaction that has read a range, after something else has happened. */
function transact(engine: Engine, isolation: number, between: () => void = () => undefined): boolean {
  const mark = engine.snapshots.take(0)
  between()
  const bound = (key: string) => ({ bytes: bytesOf(key), inclusive: true })
  const reads = { isolation, mark, keys: [bytesOf('k2')], ranges: [{ low: bound('k40'), high: bound('k46') }] }
  const done = commit(engine, group, reads)
  engine.snapshots.close(mark)
  return done
}

const owners: Record<string, (engine: Engine) => unknown> = {
  'a batch': (engine) => commit(engine, group),
  'a serializable transaction': (engine) => transact(engine, ISOLATION_SERIALIZABLE),
  'a snapshot transaction': (engine) => transact(engine, ISOLATION_SNAPSHOT),
  'a transaction that cannot be committed': (engine) =>
    transact(engine, ISOLATION_SERIALIZABLE, () => put(engine, 'k42', 'theirs')),
}

function built() {
  const first = firstEngine()
  for (const i of range(36)) put(first, `k${i * 2}`, 'old')
  put(first, 'k50', large)
  put(first, 'k52', large)
  expect(faults(first)).toEqual([])
  first.detach()
  return { arena: first.arena, back: snapshot(first.arena), before: new Map(entries(new Engine(first.arena, 1))) }
}

const { arena, back, before } = built()

const shown = (value: string | null | undefined): string | undefined =>
  value === large ? `${large.length} bytes` : (value ?? undefined)

/** What a key that the owner changes has before and after it. */
const was = group.map(([key]) => before.get(key))
const becomes = group.map(([, value]) => shown(value))

const now = (engine: Engine): (string | undefined)[] => group.map(([key]) => get(engine, key))

function expectWhole(engine: Engine): boolean {
  const found = now(engine)
  const isDone = found[0] !== undefined
  expect(found).toEqual(isDone ? becomes : was)
  return isDone
}

/** How the entries look to a scan at one moment. */
function expectWholeSnapshot(engine: Engine): void {
  const mark = engine.snapshots.take(0)
  const found = group.map(([key]) => {
    setKey(engine, key)
    engine.scheme.enter()
    const there = engine.tree.findAt(mark.ts) !== 0
    engine.scheme.leave()
    return there
  })
  const there = (values: readonly unknown[]): boolean[] => values.map((value) => value !== undefined)
  expect([there(was), there(becomes)]).toContainEqual(found)
  engine.snapshots.close(mark)
}

const others: Record<string, (engine: Engine) => void> = {
  'a reader': (engine) => void expectWhole(engine),
  'a snapshot': expectWholeSnapshot,
  'a cleaner': cleanAll,
  'a drain': (engine) => engine.drain(),
  'writers beside it': (engine) => {
    for (const i of range(8)) put(engine, `k1${i}z`, 'z')
    for (const i of range(5)) remove(engine, `k${34 + i * 2}`)
  },
  'another batch of the same keys': (engine) => {
    expect(commit(engine, [...group.map(([key]) => [key, 'theirs'] as const)])).toBe(true)
    expect(now(engine)).toEqual(group.map(() => 'theirs'))
    commit(engine, group)
  },
  'the epoch': (engine) => range(4).forEach(() => engine.scheme.flush()),
}

function stepsOf(work: (engine: Engine) => unknown): number {
  back()
  new Engine(arena, 1)
  const engine = new Engine(arena, DEAD)
  let steps = 0
  hookAtomics(
    (call) => (steps = call),
    () => work(engine),
  )
  return steps
}

const STOPS = 60
const pairs = Object.entries(owners).flatMap(([one, work]) => {
  const steps = stepsOf(work)
  return Object.keys(others).map((other, i) => {
    const at = range(STOPS).map((stop) => 1 + Math.floor(((stop + i / 7) * steps) / STOPS))
    return { one, other, stops: [...new Set(at)] }
  })
})

describe.each(pairs)('$one and $other', ({ one, other, stops }) => {
  it('that comes while it is stopped', () => {
    for (const step of stops) {
      back()
      const [a, b] = [new Engine(arena, 1), new Engine(arena, DEAD)]
      const owner = (): unknown => owners[one]!(b)
      expect(interruptAt(step, owner, () => others[other]!(a))).toBe(true)
      expectWhole(a)
      expect(faults(a)).toEqual([])
    }
  })

  it('that comes after it has died, and before it is reaped', () => {
    const seen = new Set<boolean>()
    for (const step of stops) {
      back()
      const [a, b] = [new Engine(arena, 1), new Engine(arena, DEAD)]
      expect(dieAt(step, () => void owners[one]!(b))).toBe(true)
      others[other]!(a)
      const isDone = expectWhole(a)
      a.scheme.reap(DEAD)
      // What was installed in part is brought to its end by the reaper.
      if (isDone) expect(now(a)).toEqual(becomes)
      seen.add(expectWhole(a))
      expect(faults(a)).toEqual([])
      expect(a.snapshots.keptWords()).toBe(0)
    }
    if (!one.includes('cannot') && !other.includes('same')) expect([...seen].sort()).toEqual([false, true])
  })
})

it.each(Object.entries(owners))('%s, dead after any of its steps, is wholly there or not at all', (_name, work) => {
  const steps = stepsOf(work)
  for (let step = 1; step <= steps; step++) {
    back()
    const [a, b] = [new Engine(arena, 1), new Engine(arena, DEAD)]
    expect(dieAt(step, () => void work(b))).toBe(true)
    a.scheme.reap(DEAD)
    expectWhole(a)
    expect([step, ...faults(a)]).toEqual([step])
    expect([step, a.snapshots.keptWords()]).toEqual([step, 0])
  }
})

/** Words that are counted as kept, also if they are less than none. */
function kept({ arena }: Engine): number {
  return sumCounter(arena, COUNTER.keptWords) - sumCounter(arena, COUNTER.unkeptWords)
}

const afterwards: Record<string, (engine: Engine) => void> = {
  'a drain': (engine) => engine.drain(),
  overwrites: (engine) => group.forEach(([key]) => put(engine, key, 'later')),
  removals: (engine) => group.forEach(([key]) => remove(engine, key)),
  'another one': (engine) => void owners['a transaction that cannot be committed']!(engine),
  'a batch': (engine) => void commit(engine, group),
}

describe('what an aborted transaction leaves is counted as kept until it goes', () => {
  it.each(Object.entries(afterwards))('by %s', (_name, then) => {
    for (const withSnapshot of [false, true]) {
      back()
      const engine = new Engine(arena, 1)
      const mark = withSnapshot ? engine.snapshots.take(0) : undefined
      expect(owners['a transaction that cannot be committed']!(engine)).toBe(false)
      expect(now(engine)).toEqual(was)
      then(engine)
      if (mark !== undefined) engine.snapshots.close(mark)
      expect(faults(engine)).toEqual([])
      expect(kept(engine)).toBe(0)
    }
  })
})
