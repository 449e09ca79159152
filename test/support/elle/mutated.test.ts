import { describe, expect, it } from 'vitest'
import { fromEnv, random, type Random } from '../random.ts'
import type { AnomalyName } from './anomaly.ts'
import { assertLevel, findAnomalies } from './check.ts'
import type { Behaviour } from './simulated-store.ts'
import { simulate } from './simulation.ts'
import type { History, Operation, ReadList, Transaction } from './transaction.ts'

const runs = fromEnv('ELLE_RUNS', 500)
const seed = fromEnv('ELLE_SEED', 1)
const sound: Behaviour = { reads: 'snapshot', validates: 'reads', writes: 'together' }

/** A read of a list in a history, to be changed. */
interface Place {
  readonly transaction: number
  readonly at: number
  readonly read: ReadList
}

/** Those reads of committed transactions that come before any write of their own under the key. */
function placesOf(history: History, fits: (place: Place) => boolean): Place[] {
  const places: Place[] = []
  history.forEach(({ status, operations }, transaction) => {
    operations.forEach((read, at) => {
      if (status !== 'ok' || read.name !== 'list' || read.value.length === 0) return
      const repeated = operations.some(({ key }, i) => i !== at && key === read.key)
      const place = { transaction, at, read }
      if (!repeated && fits(place)) places.push(place)
    })
  })
  return places
}

function withOperation(history: History, { transaction, at }: Place, operation: Operation): History {
  const changed = history[transaction]!
  return history.with(transaction, { ...changed, operations: changed.operations.with(at, operation) })
}

function withList(history: History, place: Place, value: readonly number[]): History {
  return withOperation(history, place, { ...place.read, value })
}

function writerOf(history: History, key: string, value: number): Transaction {
  return history.find(({ operations }) =>
    operations.some((step) => step.name === 'append' && step.key === key && step.value === value),
  )!
}

/** Whether another committed transaction has read so much of the list. */
function isKnown(history: History, { transaction, read }: Place, length: number): boolean {
  return history.some(
    ({ status, operations }, id) =>
      id !== transaction &&
      status === 'ok' &&
      operations.some((other) => other.name === 'list' && other.key === read.key && other.value.length >= length),
  )
}

interface Mutation {
  readonly name: AnomalyName
  readonly fits: (history: History, place: Place) => boolean
  readonly change: (history: History, place: Place, rng: Random) => History
}

const mutations: Readonly<Record<string, Mutation>> = {
  'an element is there twice': {
    name: 'duplicate',
    fits: (history, place) => !isKnown(history, place, place.read.value.length + 1),
    change: (history, place) => withList(history, place, [...place.read.value, place.read.value[0]!]),
  },
  'an element comes from nowhere': {
    name: 'unwritten read',
    fits: () => true,
    change: (history, place) => withList(history, place, [...place.read.value, 1_000_000]),
  },
  'the first element is missing': {
    name: 'incompatible orders',
    fits: (history, place) => place.read.value.length > 1 && isKnown(history, place, place.read.value.length),
    change: (history, place) => withList(history, place, place.read.value.slice(1)),
  },
  'two elements are exchanged': {
    name: 'incompatible orders',
    fits: (history, place) => place.read.value.length > 1 && isKnown(history, place, place.read.value.length),
    change: (history, place, rng) => {
      const at = rng.int(place.read.value.length - 1)
      const [a, b] = place.read.value.slice(at)
      return withList(history, place, place.read.value.with(at, b!).with(at + 1, a!))
    },
  },
  'an element is of an aborted transaction': {
    name: 'G1a',
    fits: (history, { read, transaction }) => writerOf(history, read.key, read.value[0]!) !== history[transaction],
    change: (history, { read }) => {
      const writer = writerOf(history, read.key, read.value[0]!)
      return history.with(history.indexOf(writer), { ...writer, status: 'aborted' })
    },
  },
  'the last element is missing, long after it was appended': {
    name: 'G-single-realtime',
    fits: (history, { read, transaction }) => {
      const writer = writerOf(history, read.key, read.value.at(-1)!)
      const appended = writer.operations.filter(({ name, key }) => name === 'append' && key === read.key)
      const reader = history[transaction]!
      // What is missing must not be just the end of what one transaction appended: that would be G1b.
      return appended.length === 1 && writer.status === 'ok' && writer.completed < reader.invoked
    },
    change: (history, place) => withList(history, place, place.read.value.slice(0, -1)),
  },
  'the operations of a reader begin with an append that it does not see': {
    name: 'internal',
    fits: () => true,
    change: (history, { transaction, read }) => {
      const reader = history[transaction]!
      const append: Operation = { name: 'append', key: read.key, value: 1_000_000 }
      return history.with(transaction, { ...reader, operations: [append, ...reader.operations] })
    },
  },
}

describe('a valid history of lists is refused once', () => {
  it.each(Object.entries(mutations))('%s', (_, { name, fits, change }) => {
    const rng = random(seed)
    let changed = 0
    for (let i = 0; i < runs; i++) {
      const history = simulate(sound, { seed: seed * 100_000 + i, transactions: 40, keys: 3, workload: 'lists' })
      assertLevel(history, 'strict serializable')
      const places = placesOf(history, (place) => fits(history, place))
      if (places.length === 0) continue
      changed++
      const names = findAnomalies(change(history, rng.pick(places), rng), { realtime: true }).map((found) => found.name)
      // Without the last element, a writer that read the list before is one of a shorter cycle.
      const expected = name === 'G-single-realtime' ? [name, 'G-single', 'lost update'] : [name]
      expect(expected.some((one) => names.includes(one as AnomalyName))).toBe(true)
    }
    expect(changed).toBeGreaterThan(runs / 3)
  })
})
