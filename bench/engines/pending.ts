/** Operations that wait for a flush, in the order in which they came. */
import type { Key } from './engine.ts'

export const SET = 0
export const DELETE = 1
export const UPDATE = 2
export const READ = 3

export class Pending<V> {
  count = 0
  readonly kinds: Uint8Array
  readonly keys: Key[]
  readonly values: V[]

  constructor(capacity: number) {
    this.kinds = new Uint8Array(capacity)
    this.keys = new Array<Key>(capacity).fill('')
    this.values = []
  }

  add(kind: number, key: Key, value: V): void {
    const at = this.count++
    if (at >= this.kinds.length) throw new Error('more operations than the batch holds')
    this.kinds[at] = kind
    this.keys[at] = key
    this.values[at] = value
  }
}
