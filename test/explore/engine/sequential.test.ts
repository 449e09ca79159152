/** The scenarios without the explorer: threads one after the other, in every order. Shows that each does what it is for. */
import { expect, it } from 'vitest'
import type { Arena } from '../../../src/memory/arena.ts'
import { COUNTER, type CounterName, sumCounter } from '../../../src/reclaim/participant.ts'
import { scenarios as blockCache } from './block-cache.ts'
import { scenarios as catalogs } from './catalogs.ts'
import { scenarios as batches } from './batches.ts'
import { scenarios as cleaning } from './cleaning.ts'
import { scenarios as cursors } from './cursors.ts'
import { scenarios as epochs } from './epochs.ts'
import { scenarios as freeList } from './free-list.ts'
import { journal } from './journal.ts'
import { scenarios as funerals } from './funerals.ts'
import { scenarios as journaling } from './journaling.ts'
import { scenarios as leaves } from './leaves.ts'
import { scenarios as merges } from './merges.ts'
import type { Actor, Rehearsable } from './play.ts'
import { scenarios as partial } from './partial.ts'
import { scenarios as turningPartial } from './turning-partial.ts'
import { scenarios as reaping } from './reaping.ts'
import { scenarios as segments } from './segments.ts'
import { scenarios as snapshots } from './snapshots.ts'
import { scenarios as splits } from './splits.ts'
import { scenarios as transactions } from './transactions.ts'
import { scenarios as verifying } from './verifying.ts'

const all = [
  blockCache,
  catalogs,
  cleaning,
  cursors,
  epochs,
  freeList,
  funerals,
  journaling,
  leaves,
  merges,
  partial,
  turningPartial,
  reaping,
  segments,
  snapshots,
  batches,
  transactions,
  splits,
  verifying,
].flat()

type Counts = Record<CounterName, number>

function countersOf(arena: Arena): Counts {
  const names = Object.entries(COUNTER) as [CounterName, number][]
  return Object.fromEntries(names.map(([name, counter]) => [name, sumCounter(arena, counter)])) as Counts
}

function ordersOf(count: number): number[][] {
  if (count === 0) return [[]]
  return ordersOf(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => order.toSpliced(at, 0, count - 1)),
  )
}

/** Runs the threads in this order. @returns how far each counter went up */
function rehearse({ options }: Rehearsable, memory: SharedArrayBuffer, order: readonly number[]): Counts {
  const actors = options.threads.map((_, thread) => options.attach!(memory, thread, undefined) as Actor)
  const { arena } = actors[0]!
  const before = countersOf(arena)
  const results: unknown[] = options.threads.map(() => undefined)
  journal.history = []
  for (const thread of order) {
    journal.thread = thread
    results[thread] = options.threads[thread]!(actors[thread])
  }
  const counts = countersOf(arena)
  options.after!(memory, { results, killed: -1, history: journal.history }, actors)
  for (const name of Object.keys(counts) as CounterName[]) counts[name] -= before[name]
  return counts
}

const right = all.filter((scenario) => scenario.options.kill === undefined && scenario.expect.kind === undefined)

it('there are scenarios, and no two of a name', () => {
  expect(right.length).toBeGreaterThan(60)
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
})

it.each(right)('$name', (scenario) => {
  const memory = new SharedArrayBuffer(scenario.options.memory.bytes)
  scenario.options.setup!(memory)
  const words = new Int32Array(memory)
  const saved = words.slice()
  const most: Partial<Counts> = {}
  journal.kept = true
  try {
    for (const order of ordersOf(scenario.options.threads.length)) {
      words.set(saved)
      const counts = rehearse(scenario, memory, order)
      for (const name of Object.keys(counts) as CounterName[]) {
        most[name] = Math.max(most[name] ?? 0, counts[name])
      }
    }
  } finally {
    journal.kept = false
  }
  for (const [name, least] of Object.entries(scenario.does)) {
    expect(most[name as CounterName], name).toBeGreaterThanOrEqual(least)
  }
})
