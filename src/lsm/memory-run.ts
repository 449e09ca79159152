/**
 * Entries in memory that are sorted at once, and then a source: what is collected before it becomes a table.
 *
 *   bytes    key and value of each entry, one after the other
 *   fields   for each entry: where its key begins, bytes of the key, bytes of the value * 2 + kind, sequence, head
 *   order    entries by key, the newest version of a key first
 *
 * The head is six bytes of the key as a number, the first in which not all keys are the same: it decides most comparisons
 * without a look at the bytes.
 *
 * Thread safety: belongs to one thread. Complexity: an entry O(bytes), sorting O(n log n), a seek O(log n).
 */
import { commonLength, compareRanges, grown, headOf } from './byte-codec.ts'
import type { EntrySource } from './entry.ts'

const FIELDS = 5
const AT = 0
const KEY_BYTES = 1
const VALUE_AND_KIND = 2
const SEQUENCE = 3
const HEAD = 4
const LONG_BYTES = 128

export class MemoryRun implements EntrySource {
  private bytes: Uint8Array = new Uint8Array(1 << 16)
  private used = 0
  private fields = new Float64Array(1024 * FIELDS)
  private count = 0
  private order = new Uint32Array(0)
  /** Index into `order`; outside of it there is no position. */
  private place = -1
  private own: Uint8Array = new Uint8Array(256)

  get entries(): number {
    return this.count
  }

  /** Bytes of memory that the entries take. */
  get size(): number {
    return this.used + this.count * (FIELDS * 8 + 4)
  }

  add(
    key: Uint8Array,
    start: number,
    end: number,
    kind: number,
    sequence: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const keyLength = end - start
    const valueLength = valueEnd - valueStart
    const at = this.used
    this.bytes = grown(this.bytes, at, at + keyLength + valueLength)
    copyRange(this.bytes, at, key, start, end)
    copyRange(this.bytes, at + keyLength, value, valueStart, valueEnd)
    this.used = at + keyLength + valueLength
    const base = this.count * FIELDS
    if (base === this.fields.length) {
      const larger = new Float64Array(2 * base)
      larger.set(this.fields)
      this.fields = larger
    }
    const { fields } = this
    fields[base + AT] = at
    fields[base + KEY_BYTES] = keyLength
    fields[base + VALUE_AND_KIND] = valueLength * 2 + kind
    fields[base + SEQUENCE] = sequence
    this.count++
  }

  /** To be called after the last `add` and before it is read. */
  sort(): void {
    const order = new Uint32Array(this.count)
    for (let i = 0; i < order.length; i++) order[i] = i
    this.setHeads()
    this.order = order.sort((a, b) => this.compare(a, b))
    this.place = -1
  }

  /** Heads are taken behind what all keys have in common: there they differ. */
  private setHeads(): void {
    const { fields, bytes } = this
    let common = this.count === 0 ? 0 : fields[KEY_BYTES]
    for (let base = FIELDS; base < this.count * FIELDS; base += FIELDS) {
      const at = fields[base + AT]
      common = commonLength(bytes, fields[AT], fields[AT] + common, bytes, at, at + fields[base + KEY_BYTES])
    }
    for (let base = 0; base < this.count * FIELDS; base += FIELDS) {
      const at = fields[base + AT]
      fields[base + HEAD] = headOf(bytes, at + common, at + fields[base + KEY_BYTES])
    }
  }

  /** Forgets all entries; the memory is kept for the next ones. */
  clear(): void {
    this.used = 0
    this.count = 0
    this.order = new Uint32Array(0)
    this.place = -1
  }

  private compare(a: number, b: number): number {
    const { fields, bytes } = this
    const one = a * FIELDS
    const other = b * FIELDS
    if (fields[one + HEAD] !== fields[other + HEAD]) return fields[one + HEAD] - fields[other + HEAD]
    const from = fields[one + AT]
    const otherFrom = fields[other + AT]
    const end = from + fields[one + KEY_BYTES]
    const order = compareRanges(bytes, from, end, bytes, otherFrom, otherFrom + fields[other + KEY_BYTES])
    if (order !== 0) return order
    // Of two entries of one sequence the later one is what holds.
    return fields[other + SEQUENCE] - fields[one + SEQUENCE] || b - a
  }

  private field(which: number): number {
    return this.fields[this.order[this.place] * FIELDS + which]
  }

  get valid(): boolean {
    return this.place >= 0 && this.place < this.order.length
  }

  /** A copy: a key begins at 0 in every source. */
  get key(): Uint8Array {
    return this.own
  }

  get keyLength(): number {
    return this.field(KEY_BYTES)
  }

  get kind(): number {
    return this.field(VALUE_AND_KIND) % 2
  }

  get sequence(): number {
    return this.field(SEQUENCE)
  }

  get value(): Uint8Array {
    return this.bytes
  }

  get valueStart(): number {
    return this.field(AT) + this.field(KEY_BYTES)
  }

  get valueEnd(): number {
    return this.valueStart + (this.field(VALUE_AND_KIND) - this.kind) / 2
  }

  private arrive(place: number): void {
    this.place = place
    if (!this.valid) return
    const at = this.field(AT)
    const length = this.field(KEY_BYTES)
    this.own = grown(this.own, 0, length)
    for (let i = 0; i < length; i++) this.own[i] = this.bytes[at + i]
  }

  seekFirst(): void {
    this.arrive(0)
  }

  seekLast(): void {
    this.arrive(this.order.length - 1)
  }

  seek(key: Uint8Array, start: number, end: number, sequence: number): void {
    const { fields, bytes, order } = this
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const base = order[middle] * FIELDS
      const at = fields[base + AT]
      const compared = compareRanges(bytes, at, at + fields[base + KEY_BYTES], key, start, end)
      if (compared < 0 || (compared === 0 && fields[base + SEQUENCE] > sequence)) low = middle + 1
      else high = middle
    }
    this.arrive(low)
  }

  next(): void {
    this.arrive(this.place + 1)
  }

  previous(): void {
    this.arrive(this.place - 1)
  }
}

/** A view and a native copy cost more than a loop over a few bytes. */
function copyRange(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  if (end - start > LONG_BYTES) into.set(from.subarray(start, end), at)
  else for (let i = start; i < end; i++) into[at++] = from[i]
}
