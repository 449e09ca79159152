/**
 * One thread's part of the comparison with lmdb: generates keys, runs one operation over them, tells the time it took.
 * Keys are flat strings that lie in memory in the order of their use: a random walk over a million JavaScript strings
 * would measure the JavaScript heap.
 */
import type { RootDatabase } from 'lmdb'
import type { Store } from '../dist/src/index.js'

import { scramble } from './workloads/random.ts'

export const RECORDS = 1_000_000
export const KEY_BYTES = 16
export const VALUE_BYTES = 100
export const SCAN_ENTRIES = 50

export type Operation = 'get' | 'getInto' | 'overwrite' | 'mixed' | 'scan'
export const OPERATIONS: readonly Operation[] = ['get', 'getInto', 'overwrite', 'mixed', 'scan']
export type Engine = 'heddle' | 'lmdb'

const scrambled = Buffer.allocUnsafe(KEY_BYTES)

/** The i-th key: 16 characters, in an order that has nothing to do with i. */
function writeKey(i: number, to: Buffer, at: number): void {
  let high = scramble(i)
  let low = scramble(i ^ 0x5bd1e995)
  for (let c = 0; c < 8; c++) {
    to[at + c] = 97 + (high & 15)
    to[at + 8 + c] = 97 + (low & 15)
    high >>>= 4
    low >>>= 4
  }
}

export function keyOf(i: number): string {
  writeKey(i, scrambled, 0)
  return scrambled.toString('latin1')
}

/** Fresh flat strings for indices drawn by a small generator. */
export function drawKeys(count: number, seed: number): string[] {
  const keys: string[] = []
  let state = seed | 1
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    keys.push(keyOf((state >>> 4) % RECORDS))
  }
  return keys
}

export const value: Buffer = Buffer.alloc(VALUE_BYTES, 'v')

/** Runs an operation over the keys. @returns nanoseconds per operation (per entry for scans) */
export function runHeddle(store: Store<string, Uint8Array>, operation: Operation, keys: string[]): number {
  const target = new Uint8Array(VALUE_BYTES)
  let sum = 0
  let done = 0
  const begin = process.hrtime.bigint()
  if (operation === 'get') {
    for (const key of keys) sum += store.get(key)!.length
    done = keys.length
  } else if (operation === 'getInto') {
    for (const key of keys) sum += store.getInto(key, target)
    done = keys.length
  } else if (operation === 'overwrite') {
    for (const key of keys) store.set(key, value)
    done = keys.length
    sum = done * VALUE_BYTES
  } else if (operation === 'mixed') {
    for (let i = 0; i < keys.length; i++) {
      if ((i & 1) === 0) sum += store.get(keys[i])!.length
      else store.set(keys[i], value)
    }
    done = keys.length
  } else {
    for (const key of keys) {
      for (const entry of store.entries({ gte: key, limit: SCAN_ENTRIES })) {
        sum += entry[1].length
        done++
      }
    }
  }
  const ns = Number(process.hrtime.bigint() - begin)
  if (sum === 0) throw new Error('nothing was read')
  return ns / done
}

/** As `runHeddle`. */
export function runLmdb(db: RootDatabase<Buffer, string>, operation: Operation, keys: string[]): number {
  let sum = 0
  let done = 0
  const begin = process.hrtime.bigint()
  if (operation === 'get') {
    for (const key of keys) sum += db.getBinary(key)!.length
    done = keys.length
  } else if (operation === 'getInto') {
    for (const key of keys) sum += db.getBinaryFast(key)!.length
    done = keys.length
  } else if (operation === 'overwrite') {
    for (const key of keys) db.putSync(key, value)
    done = keys.length
    sum = done * VALUE_BYTES
  } else if (operation === 'mixed') {
    for (let i = 0; i < keys.length; i++) {
      if ((i & 1) === 0) sum += db.getBinary(keys[i])!.length
      else db.putSync(keys[i], value)
    }
    done = keys.length
  } else {
    for (const key of keys) {
      for (const entry of db.getRange({ start: key, limit: SCAN_ENTRIES })) {
        sum += entry.value.length
        done++
      }
    }
  }
  const ns = Number(process.hrtime.bigint() - begin)
  if (sum === 0) throw new Error('nothing was read')
  return ns / done
}
