/** Changes that are written to the shared log: what is replayed from it is what the tree holds, whoever dies meanwhile. */
import { readChanges } from '../../../src/lsm/change-record.ts'
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { HeddleError } from '../../../src/memory/error.ts'
import { batch, batching, dealing } from './deals.ts'
import { bothOf, type Play, type Rehearsable } from './play.ts'
import { type Part, type Text, compareAndSet, get, remove, removing, scanKeys, set, setIfAbsent } from './points.ts'
import { type TreePast, type TreePlay, same, treePlay } from './trees.ts'

const MOST_STEPS = 4000
const ARENA_BYTES = 112 * 1024
/** So many that nothing has to be released. */
const AMPLE = 256

type Change = readonly [key: Text, value: Text | undefined]

/** What a slot of the log says, and where it lies. */
interface Entry {
  readonly position: number
  readonly changes: readonly Change[]
}

/** An engine, and what its thread has taken out of the log. */
interface Consumer extends Engine {
  taken: Entry[]
}

function textAt(bytes: Uint8Array, at: number, length: number): Text {
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[at + i]!)
  return text
}

function changesAt(engine: Engine, position: number): Change[] {
  const { log } = engine.journal!
  const changes: Change[] = []
  const visitor = {
    put(bytes: Uint8Array, keyAt: number, keyBytes: number, valueBytes: number): void {
      changes.push([textAt(bytes, keyAt, keyBytes), textAt(bytes, keyAt + keyBytes, valueBytes)])
    },
    remove(bytes: Uint8Array, keyAt: number, keyBytes: number): void {
      changes.push([textAt(bytes, keyAt, keyBytes), undefined])
    },
  }
  const file = { name: 'ring', offset: position }
  const at = log.payloadAt(position) * 4
  readChanges(log.typeAt(position), engine.arena.bytes, at, log.lengthAt(position), visitor, file)
  return changes
}

/** What is finished from STABLE on. @returns the end of it */
function take(engine: Engine, to: Entry[]): number {
  const { log } = engine.journal!
  let position = log.stable()
  for (let granules = log.finishedAt(position); granules > 0; granules = log.finishedAt(position)) {
    if (log.isComplete(position)) to.push({ position, changes: changesAt(engine, position) })
    position = log.endOf(position, granules)
  }
  return position
}

/** As the log worker, without files. */
function drainLog(engine: Engine): void {
  const { log } = engine.journal!
  const end = take(engine, (engine as Consumer).taken)
  if (end === log.stable()) return
  log.setStable(end)
  log.release(end)
  log.announce()
}

function replay(entries: readonly Entry[]): Map<Text, Text> {
  const map = new Map<Text, Text>()
  for (const { changes } of entries) {
    for (const [key, value] of changes) {
      if (value === undefined) map.delete(key)
      else map.set(key, value)
    }
  }
  return map
}

function show(map: ReadonlyMap<Text, Text | undefined>): string {
  return [...map]
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(' ')
}

/** Whether what a prefix of the log holds is what might have been. @returns what is wrong */
type Prefix = (map: ReadonlyMap<Text, Text>) => string

/** What is wrong with the log, when the dead have been reaped. */
function logFaults(survivors: readonly Engine[], all: readonly Engine[], prefix?: Prefix): string[] {
  const engine = survivors[0]!
  const { log } = engine.journal!
  const taken = new Map<number, Entry>()
  // Who died as a consumer may have taken what the next one takes again.
  for (const each of all) for (const entry of (each as Consumer).taken) taken.set(entry.position, entry)
  const rest: Entry[] = []
  const end = take(engine, rest)
  for (const entry of rest) taken.set(entry.position, entry)
  const found: string[] = []
  if (end !== log.frontier()) found.push(`the slot at ${end} is not finished, the frontier is ${log.frontier()}`)
  const entries = [...taken.values()].sort((a, b) => a.position - b.position)
  const tree = new Map(scanKeys(engine).map((key) => [key, get(engine, key)] as const))
  if (show(replay(entries)) !== show(tree)) {
    const text = JSON.stringify(entries.map(({ changes }) => changes))
    found.push(`the log says ${show(replay(entries))}: ${text}; the tree has ${show(tree)}`)
  }
  for (let length = 0; prefix !== undefined && length < entries.length; length++) {
    const wrong = prefix(replay(entries.slice(0, length)))
    if (wrong !== '') found.push(`the first ${length} of ${JSON.stringify(entries)}: ${wrong}`)
  }
  for (const each of survivors) if (each.journal!.held >= 0) found.push('somebody still holds a slot')
  return found
}

interface Journaling extends Partial<TreePlay> {
  readonly prefix?: Prefix
  readonly does?: Partial<Record<CounterName, number>>
}

function play(name: string, past: TreePast, threads: readonly Part[], more: Journaling = {}): Play<Engine> {
  const { prefix, does = {}, ...over } = more
  const rest = { does, options: { maxSteps: MOST_STEPS, memory: { bytes: ARENA_BYTES } } }
  const whole = treePlay({ name: `journal: ${name}`, past, threads, rest, ...over })
  let all: readonly Engine[] = []
  return {
    ...whole,
    cast(memory) {
      all = whole.cast(memory).map((engine) => Object.assign(engine, { taken: [] }))
      return [...all]
    },
    check(survivors, outcome) {
      const found = whole.check(survivors, outcome)
      return [...found, ...logFaults(survivors, all, prefix)]
    },
  }
}

function past(keys: Text, ring = AMPLE, over: TreePast['over'] = { leafSlots: 4, leafEntries: 4 }): TreePast {
  return { pairs: same(keys), over, batches: true, ring }
}

const putting =
  (...pairs: [Text, Text][]): Part =>
  (engine) => {
    for (const [key, value] of pairs) set(engine, key, value)
  }

const single = [
  play('two overwrite the same key', past('a'), [putting(['a', '1']), putting(['a', '2'])]),
  play('two insert the same key', past('b'), [putting(['a', '1']), putting(['a', '2'])]),
  play('two insert different keys of a leaf', past('b'), [putting(['a', '1']), putting(['c', '2'])]),
  play('an overwrite against a delete', past('a'), [putting(['a', '1']), removing('a')]),
  play('an insert against a delete', past(''), [putting(['a', '1']), removing('a')]),
  play('two delete the same key', past('a'), [removing('a'), removing('a')], { does: { deletes: 1 } }),
  play('a delete and an insert against the same', past('a'), [
    (e) => {
      remove(e, 'a')
      set(e, 'a', '1')
    },
    (e) => {
      remove(e, 'a')
      set(e, 'a', '2')
    },
  ]),
  play('an insert if absent against an insert and a delete', past(''), [
    (e) => setIfAbsent(e, 'a', '1'),
    (e) => {
      set(e, 'a', '2')
      remove(e, 'a')
    },
  ]),
  play('two swaps', past('a'), [(e) => compareAndSet(e, 'a', 'a', '1'), (e) => compareAndSet(e, 'a', 'a', '2')]),
  play('overwrites by three', past('a'), [putting(['a', '1']), putting(['a', '2']), putting(['a', '3'])]),
  play('an overwrite against a consolidation and a split', past('abc', AMPLE, {}), [
    putting(['a', '1']),
    putting(['d', '1']),
  ]),
  play('a large value against another', past('a'), [putting(['a', 'x'.repeat(90)]), putting(['a', 'y'.repeat(90)])]),
]

/** A value is copied from one key to another, and overwritten then. */
const copying: Part = (engine) => {
  const value = get(engine, 'a')
  if (value === undefined) return
  set(engine, 'a', '2')
  set(engine, 'b', value)
}

/** Whoever has written 1 to b has read it in a, and it was overwritten by 2 before. */
const isCausal: Prefix = (map) => (map.get('b') === '1' && map.get('a') !== '2' ? `b has 1, a ${map.get('a')}` : '')

/** As `copying`, but the old value is written first. */
const copyingFirst: Part = (engine) => {
  const value = get(engine, 'a')
  if (value !== undefined) set(engine, 'b', value)
  set(engine, 'a', '2')
}

const wasThere: Prefix = (map) => (map.get('b') === '1' && !map.has('a') ? 'b has 1, a nothing' : '')

const reaped = [
  play('an overwrite against who copies it', past('a'), [putting(['a', '1']), copying], {
    prefix: isCausal,
    reaps: true,
  }),
  play('an insert against who copies it first', past(''), [putting(['a', '1']), copyingFirst], {
    prefix: wasThere,
    reaps: true,
  }),
  play('two overwrite, and are reaped', past('a'), [putting(['a', '1']), putting(['a', '2'])], { reaps: true }),
  play('an overwrite against a delete, and a reaper', past('a'), [putting(['a', '1']), removing('a')], { reaps: true }),
  play('two delete, and are reaped', past('a'), [removing('a'), removing('a')], { reaps: true }),
  play(
    'an insert and a delete against an insert, and a reaper',
    past(''),
    [
      putting(['a', '1']),
      (e) => {
        remove(e, 'a')
        set(e, 'a', '2')
      },
    ],
    { reaps: true },
  ),
]

const both = batching(['a', '1'], ['b', '1'])

const batches = [
  play('a batch against an overwrite', past('ab'), [both, putting(['b', '2'])]),
  play('a batch against an insert', past('a'), [both, putting(['b', '2'])]),
  play('a batch against a delete', past('ab'), [both, removing('a')]),
  play('a batch and an overwrite against a helper', past('ab'), [
    (e) => {
      batch(e, ['a', '1'], ['b', '1'])
      set(e, 'b', '3')
    },
    putting(['b', '2']),
  ]),
  play('a batch with a deletion against an overwrite', past('ab'), [
    batching(['a', '1'], ['b', undefined]),
    putting(['b', '2']),
  ]),
  play('two batches of the same keys', past('ab'), [both, batching(['a', '2'], ['b', '2'])]),
  play('two batches that share a key', past('abc'), [both, batching(['b', '2'], ['c', undefined])]),
  play(
    'a batch against a read and a copy',
    past('ab'),
    [
      both,
      (e) => {
        const value = get(e, 'a')
        if (value === '1') set(e, 'c', '1')
      },
    ],
    { prefix: (map) => (map.get('c') === '1' && map.get('b') !== '1' ? 'c has 1, b not' : '') },
  ),
  play('a batch against an overwrite, and a reaper', past('ab'), [both, putting(['b', '2'])], { reaps: true }),
  play('two batches, and a reaper', past('ab'), [both, batching(['a', '2'], ['b', '2'])], { reaps: true }),
  play('a transaction against an overwrite of what it reads', past('ab'), [
    dealing(['a', 'b'], ['a', '1'], ['b', '1']),
    putting(['b', '2']),
  ]),
  play('a transaction against an overwrite of what it only reads', past('abc'), [
    dealing(['a'], ['b', '1'], ['c', '1']),
    putting(['a', '2']),
  ]),
  play('two transactions', past('ab'), [
    dealing(['a', 'b'], ['a', '1'], ['b', '1']),
    dealing(['a', 'b'], ['a', '2'], ['b', '2']),
  ]),
  play('two transactions that read what the other writes', past('ab'), [
    dealing(['a'], ['b', '1']),
    dealing(['b'], ['a', '1']),
  ]),
  play(
    'a transaction that reads what one writes that is aborted',
    past('abc'),
    [dealing(['c'], ['a', '1']), putting(['c', '2']), dealing(['a'], ['b', '1'])],
    { reaps: true },
  ),
  play(
    'two transactions, and a reaper',
    past('ab'),
    [dealing(['a', 'b'], ['a', '1'], ['b', '1']), dealing(['a', 'b'], ['a', '2'], ['b', '2'])],
    { reaps: true },
  ),
]

/** What a part gives if the log had no room for long enough. */
function unlessStuck(part: Part): Part {
  return (engine) => {
    try {
      return part(engine)
    } catch (error) {
      if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_IO') throw error
      engine.tree.writer.abandon()
      return 'stuck'
    }
  }
}

const consuming: Part = (engine) => {
  drainLog(engine)
  drainLog(engine)
}

/** The ring is nearly full of what was written before, and nobody waits for long. */
function narrow(keys: Text, ring: number): TreePast {
  return {
    ...past(keys, ring),
    then(_, cast) {
      for (const { journal } of cast) Object.assign(journal!, { patience: 2 })
    },
  }
}

const full = [
  play('puts in a ring that is full', narrow('ab', 4), [unlessStuck(putting(['a', '1'], ['b', '1'])), consuming]),
  play('a delete in a ring that is full', narrow('abc', 4), [unlessStuck(removing('a')), consuming]),
  play('a batch in a ring that is full', narrow('abc', 8), [
    unlessStuck((e) => batch(e, ['a', '1'], ['b', '1'])),
    unlessStuck(putting(['c', '1'], ['a', '2'])),
    consuming,
  ]),
]

export const scenarios: Rehearsable[] = bothOf([...single, ...reaped, ...batches, ...full])
