/** Engines at one small tree, and what must be true of it when all is done. */
import type { Run } from '../../../src/explore/index.ts'
import { ROOM_ORDINARY, STREAM_BATCHES, STREAM_COLD, STREAM_PAGES, STREAM_RECORDS } from '../../../src/log/log.ts'
import type { Geometry } from '../../../src/memory/layout.ts'
import { reapThread } from '../../../src/reclaim/reaper.ts'
import type { ReapHook } from '../../../src/reclaim/scheme.ts'
import { Engine } from '../../../src/store/engine.ts'
import { RECORD_VERSION } from '../../../src/tree/record.ts'
import { ABORTED } from '../../../src/tree/stamp.ts'
import { type HistoryOperation, checkLinearizable } from '../../../src/explore/linearizability.ts'
import { arenaIn, tiered } from './arenas.ts'
import { keysOf, mapOfBatches } from './map-of-batches.ts'
import { liveLabels, slotFaults } from './people.ts'
import type { Play } from './play.ts'
import { type Text, get, scanKeys, set, setKey } from './points.ts'

/** Words of pages, and page ids, that every engine has at hand when a play begins: to take more is another play. */
const PAGE_WORDS = 256
const PAGE_IDS = 2

export type Pairs = readonly (readonly [key: Text, value: Text])[]

export interface TreePast {
  /** Put by the first engine, in this order. */
  readonly pairs: Pairs
  /** Changes what the pairs made, by the first engine. */
  readonly then?: (first: Engine, cast: readonly Engine[]) => void
  readonly over?: Partial<Geometry>
  /** Granules of the shared log, if there is a durable tier. */
  readonly ring?: number
  /** What the map holds when the play begins, if `then` changes it. */
  readonly holds?: Pairs
  /** Page ids that every engine has in its hands when the play begins. */
  readonly ids?: number
  /** Whether every engine has room at hand for batches, too. */
  readonly batches?: boolean
  /** Done after every engine has what it needs, and, when the play is over, undone. */
  readonly equipped?: (cast: readonly Engine[]) => void
  readonly unequipped?: (survivors: readonly Engine[]) => void
}

/** Each key with itself as its value; keys are single letters, or words if there are spaces. */
export function same(keys: string): Pairs {
  const list = keys.includes(' ') ? keys.split(' ') : [...keys]
  return list.map((key) => [key, key] as const)
}

export function enginesAt(memory: SharedArrayBuffer, count: number, past: TreePast): Engine[] {
  const { ring = 0 } = past
  const arena = arenaIn(memory, ring === 0 ? past.over : tiered(ring, past.over), ring)
  const cast = Array.from({ length: count }, (_, i) => new Engine(arena, i + 1))
  const first = cast[0]!
  first.tree.create()
  for (const [key, value] of past.pairs) set(first, key, value)
  past.then?.(first, cast)
  for (const engine of cast) {
    equip(engine, past.ids ?? PAGE_IDS)
    if (past.batches === true) engine.log.prepare(STREAM_BATCHES, 128, ROOM_ORDINARY)
  }
  past.equipped?.(cast)
  return cast
}

/** Gives an engine open segments and page ids. */
function equip({ log, scheme, tree }: Engine, pageIds: number): void {
  for (const stream of [STREAM_RECORDS, STREAM_COLD]) log.prepare(stream, 32, ROOM_ORDINARY)
  log.prepare(STREAM_PAGES, PAGE_WORDS, ROOM_ORDINARY)
  const { table } = tree.context
  scheme.enter()
  const ids = Array.from({ length: pageIds }, () => table.allocate())
  for (const id of ids) table.putBack(id)
  scheme.leave()
}

/** What is wrong with an arena at rest, once everything that can be reclaimed has been. */
function treeFaults(engine: Engine, keys: readonly Text[]): string[] {
  const before = pairsOf(engine)
  engine.drain()
  const report = engine.verify()
  const found = [...report.problems, ...slotFaults(engine), ...heldByNobody(engine)]
  for (const name of ['leakedWords', 'leakedPageIds', 'waitingPageIds', 'waitingSegments', 'waitingWords'] as const) {
    if (report[name] !== 0) found.push(`${name}: ${report[name]}`)
  }
  const kept = report.kept - keptByAborted(engine, keys)
  if (kept !== 0 && engine.tree.context.snapshots.countLive() === 0) found.push(`${kept} are kept for nobody`)
  const after = pairsOf(engine)
  if (String(after) !== String(before)) found.push(`a drain made ${after.join(' ')} of ${before.join(' ')}`)
  if (report.entries !== after.length) found.push(`verify counts ${report.entries} entries, a scan ${after.length}`)
  if (engine.size() !== after.length) found.push(`size is ${engine.size()}, a scan counts ${after.length}`)
  if (engine.scheme.waiting() !== 0) found.push(`${engine.scheme.waiting()} actions wait`)
  return found
}

/** What stands behind a head that was aborted goes with the next write of its key only. */
function keptByAborted(engine: Engine, keys: readonly Text[]): number {
  const { tree, scheme, arena } = engine
  const { versions } = tree.context
  let kept = 0
  scheme.enter()
  for (const key of keys) {
    setKey(engine, key)
    tree.search.locate(tree.key)
    const head = tree.search.record
    if (head === 0 || Atomics.load(arena.words, head + RECORD_VERSION) !== ABORTED) continue
    const now = versions.current(tree.search.word)
    for (let record = head; record !== 0; record = versions.behind(record, versions.stamp(record))) {
      if (record !== now) kept++
    }
  }
  scheme.leave()
  return kept
}

/** Segments and page ids in the hands of those who are gone. */
export function heldByNobody({ arena, log: { segments }, tree }: Engine): string[] {
  const live = liveLabels(arena)
  const found: string[] = []
  for (let segment = segments.first; segment < segments.used(); segment++) {
    if (segments.isOpen(segment) && !live.has(segments.holder(segment))) found.push(`nobody holds segment ${segment}`)
  }
  const { table } = tree.context
  for (let id = 1; id < table.list.used(); id++) {
    const holder = table.holder(id)
    if (holder >= 0 && !live.has(holder)) found.push(`nobody holds page id ${id}`)
  }
  return found
}

function pairsOf(engine: Engine): string[] {
  return scanKeys(engine).map((key) => `${key}=${get(engine, key)}`)
}

export function keysIn(history: readonly HistoryOperation[], pairs: Pairs): Text[] {
  return [...new Set([...pairs.map(([key]) => key), ...history.flatMap(keysOf)])]
}

/** Reads a key at the end. */
type Look = (engine: Engine, key: Text) => Text | undefined

/** The history with the map read at its end, as one more thread would find it. */
function withLastLook(
  engine: Engine,
  history: readonly HistoryOperation[],
  pairs: Pairs,
  look: Look,
): HistoryOperation[] {
  const keys = keysIn(history, pairs)
  let moment = 0
  for (const { called, returned } of history) {
    moment = Math.max(moment, called, returned === Infinity ? 0 : returned)
  }
  const looks: HistoryOperation[] = []
  for (const key of keys) {
    const [called, returned] = [++moment, ++moment]
    looks.push({ thread: -1, name: 'get', args: [key], result: look(engine, key), called, returned })
  }
  return [...history, ...looks]
}

export interface TreePlay {
  readonly name: string
  readonly past: TreePast
  readonly threads: readonly ((engine: Engine) => unknown)[]
  /** Looks at the results of the threads and the keys at the end. @returns what is wrong */
  readonly extra?: (results: readonly unknown[], keys: readonly Text[], killed: number) => string[]
  /** Whether somebody drains between a death and the end of the segments that were open then. */
  readonly drainsEarly?: boolean
  /** Whether one more looks on, who reaps the dead beside the survivors. */
  readonly reaps?: boolean
  /** How many more there are who only look on. */
  readonly onlookers?: number
  readonly rest?: Partial<Play<Engine>>
}

/** A play at a tree: its operations are to be linearizable together with what the tree holds in the end. */
export function treePlay({ name, past, threads, extra, drainsEarly, reaps, onlookers, rest }: TreePlay): Play<Engine> {
  const pairs = past.holds ?? past.pairs
  const model = mapOfBatches(pairs)
  return {
    name,
    cast: (memory) => enginesAt(memory, threads.length + (onlookers ?? 0) + (reaps === true ? 1 : 0), past),
    threads,
    model,
    check(survivors, outcome) {
      const engine = survivors[0]!
      past.unequipped?.(survivors)
      const found = extra?.(outcome.results, scanKeys(engine), outcome.killed) ?? []
      found.push(...notExplained(engine, outcome, model, pairs))
      // Before anything is let go: what a chain leads to is alive.
      if (outcome.killed < 0) found.push(...engine.verify().problems)
      if (outcome.killed >= 0) mourn(survivors, outcome.killed + 1, drainsEarly === true)
      return [...found, ...treeFaults(engine, keysIn(outcome.history, pairs))]
    },
    ...(reaps === true ? { reap: bury } : {}),
    ...rest,
  }
}

/** The funeral of a thread, without the flush that follows it. */
export function bury({ scheme, arena, me }: Engine, threadId: number): void {
  const { hooks } = scheme as unknown as { readonly hooks: readonly ReapHook[] }
  reapThread(scheme, arena, me, threadId, hooks)
}

/** What a death leaves in open segments is found once they are sealed. */
export function mourn(survivors: readonly Engine[], threadId: number, drainsEarly: boolean): void {
  survivors[0]!.scheme.reap(threadId)
  if (drainsEarly) survivors[0]!.drain()
  for (const { log } of survivors) log.sealAll()
}

export function notExplained(
  engine: Engine,
  { history }: Run,
  model: ReturnType<typeof mapOfBatches>,
  pairs: Pairs,
  look: Look = get,
): string[] {
  const { ok, explanation } = checkLinearizable(withLastLook(engine, history, pairs, look), model)
  return ok ? [] : [explanation]
}
