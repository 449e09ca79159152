import type { Counters } from './counters.ts'
import { shown, type Hands } from './hands.ts'
import { BURST_KEYS, burstKey, burstPrefix, BURST_VALUE, COUNTER_PREFIX, counterKey } from './plan.ts'
import { REFUSED } from './hands.ts'

const BOUNDS = ['b/', 'c/', 'c/010', 'f/', 'p/', 'p/1/', 's/', 's/0100', 's/0300', 't/', 'z']

/** Ranges over everything, while others write: sorted, without duplicates, within their bounds. */
export class Scans {
  private readonly hands: Hands

  constructor(hands: Hands) {
    this.hands = hands
  }

  /** A random range, by a random one of the iterators, sometimes left before its end. */
  scan(): void {
    const { store, random } = this.hands
    const a = BOUNDS[random.below(BOUNDS.length)]
    const b = BOUNDS[random.below(BOUNDS.length)]
    const from = a < b ? a : b
    const to = a < b ? b : a
    const reverse = random.oneIn(2)
    const limit = random.oneIn(2) ? random.below(200) : Infinity
    const order = new Order(this.hands, from, to, reverse)
    const range = { gte: from, lt: to, reverse, ...(limit === Infinity ? {} : { limit }) }
    const enough = random.oneIn(3) ? random.below(50) : Infinity
    if (random.oneIn(2)) {
      for (const key of store.keys(range)) if (order.next(key) > enough) break
    } else {
      for (const [key] of store.entries(range)) if (order.next(key) > enough) break
    }
    this.hands.expect(order.count <= limit, () => `a scan gives ${order.count} entries, its limit is ${limit}`)
  }

  /** Everything, by the ways to iterate that take no range. */
  scanAll(): void {
    const { store, random } = this.hands
    const order = new Order(this.hands, '', '\uffff', false)
    if (random.oneIn(3)) store.forEach((_value, key) => void order.next(key))
    else if (random.oneIn(2)) for (const [key] of store) order.next(key)
    else
      for (const value of store.values())
        this.hands.expect(typeof value === 'string', () => `a value is ${typeof value}`)
  }

  /** Counters are never deleted: a scan must come across each one that was there before. */
  scanCounters(counters: Counters): void {
    const expected = [...counters.known()].map(counterKey)
    const found = new Set(this.hands.store.keys({ prefix: COUNTER_PREFIX, reverse: this.hands.random.oneIn(2) }))
    for (const key of expected) this.hands.expect(found.has(key), () => `a scan misses ${key}`)
  }

  /** Questions about the whole store. */
  look(): void {
    const { store, random } = this.hands
    const size = store.size
    this.hands.expect(Number.isSafeInteger(size) && size >= 0, () => `the size is ${size}`)
    for (const [name, value] of Object.entries(store.stats())) {
      this.hands.expect(Number.isFinite(value), () => `stats().${name} is ${String(value)}`)
    }
    if (random.oneIn(2)) store.drain()
  }

  /** Fills the memory, or as much of it as a burst can, and gives it back. */
  burst(): void {
    const { store, index } = this.hands
    let written = 0
    while (written < BURST_KEYS) {
      const key = burstKey(index, written)
      if (this.hands.write(() => store.set(key, BURST_VALUE)) === REFUSED) break
      written++
    }
    const deleted = this.endBurst()
    this.hands.expect(deleted === written, () => `a burst wrote ${written} keys, and ${deleted} were found`)
  }

  /** Deletes what a burst left: its own, or a killed predecessor's. */
  endBurst(): number {
    const { store, index } = this.hands
    let deleted = 0
    for (const [key, value] of store.entries({ prefix: burstPrefix(index) })) {
      this.hands.expect(value === BURST_VALUE, () => `${key} is ${shown(value)}`)
      this.hands.expect(store.delete(key), () => `${key} could not be deleted`)
      deleted++
    }
    return deleted
  }
}

/** The keys of one scan, as they come. */
class Order {
  count = 0
  private readonly hands: Hands
  private readonly from: string
  private readonly to: string
  private readonly reverse: boolean
  private last: string | undefined

  constructor(hands: Hands, from: string, to: string, reverse: boolean) {
    this.hands = hands
    this.from = from
    this.to = to
    this.reverse = reverse
  }

  /** The number of keys so far. */
  next(key: string): number {
    const { last } = this
    // All keys differ before anything that UTF-16 and code points order differently.
    const inOrder = last === undefined || (this.reverse ? key < last : key > last)
    this.hands.expect(inOrder, () => `a scan gives ${shown(key)} after ${shown(last)}`)
    this.hands.expect(key >= this.from && key < this.to, () => `a scan to ${this.to} gives ${shown(key)}`)
    this.last = key
    return ++this.count
  }
}
