import { parentPort, workerData } from 'node:worker_threads'
import { attach, type Store, type StoreHandle } from '../../src/index.ts'
import { FileDisk } from '../../src/lsm/file-disk.ts'
import { failure, gateWords, stop, type Gate } from './crew.ts'
import { attachPartial } from './partial-store.ts'

export interface Given {
  readonly store: StoreHandle
  readonly gate: Gate
  readonly thread: number
  /** The directory of the tables below a partial tree. */
  readonly tables?: string
}

/** The whole of a worker of the tests: attaches, waits until all are there, does its part, reports, and closes. */
export function workerMain<D, R, K = string, V = string>(part: (store: Store<K, V>, given: Given & D) => R): void {
  const given = workerData as Given & D
  try {
    const store = attached<K, V>(given)
    meet(given.gate)
    const result = part(store, given)
    store.close()
    parentPort!.postMessage({ result })
  } catch (error) {
    abandon(given.gate)
    parentPort!.postMessage({ error: failure(error) })
  }
}

function attached<K, V>({ store, tables }: Given): Store<K, V> {
  if (tables !== undefined) return attachPartial<K, V>(store.buffer, {}, new FileDisk(tables)).store
  return attach(store) as unknown as Store<K, V>
}

/**
 * Waits until as many threads have come as the gate expects. A crew can meet several times, in phases that count up
 * from 1. Once one of its threads has failed nobody waits any more.
 */
export function meet(gate: Gate, phase = 1): void {
  const words = new Int32Array(gate.buffer)
  const expected = words[gateWords.expected]! * phase
  if (Atomics.add(words, gateWords.arrived, 1) + 1 === expected) Atomics.notify(words, gateWords.arrived)
  for (;;) {
    const arrived = Atomics.load(words, gateWords.arrived)
    if (arrived >= expected) return
    Atomics.wait(words, gateWords.arrived, arrived, 1000)
  }
}

function abandon(gate: Gate): void {
  const words = new Int32Array(gate.buffer)
  stop(gate)
  Atomics.add(words, gateWords.arrived, 2 ** 20)
  Atomics.notify(words, gateWords.arrived)
}

export function stopped(gate: Gate): boolean {
  return Atomics.load(new Int32Array(gate.buffer), gateWords.stop) !== 0
}
