/**
 * Several sources as one, in order: by key, the newest version of a key first. Entries of the same key and sequence come
 * in the order of the sources, so put the newer ones first.
 *
 * A binary heap of the sources that are valid; when the direction changes, all of them are positioned anew.
 *
 * Thread safety: belongs to one thread, as its sources do. Allocates nothing once the buffer for a key is large enough.
 * Complexity: a step O(log sources) comparisons, a seek or a change of direction a seek in each source.
 */
import { compareRanges, grown } from './byte-codec.ts'
import type { EntrySource } from './entry.ts'

export class MergingSource implements EntrySource {
  private readonly sources: readonly EntrySource[]
  /** Indices of valid sources; the root is where we stand. */
  private readonly heap: Int32Array
  private size = 0
  private forward = true
  private place: Uint8Array = new Uint8Array(256)
  private placeLength = 0
  private placeSequence = 0

  constructor(sources: readonly EntrySource[]) {
    this.sources = sources
    this.heap = new Int32Array(sources.length)
  }

  private get top(): EntrySource {
    return this.sources[this.heap[0]]
  }

  get valid(): boolean {
    return this.size > 0
  }

  /** Which of the sources the present entry is from. */
  get at(): number {
    return this.heap[0]
  }

  get key(): Uint8Array {
    return this.top.key
  }

  get keyLength(): number {
    return this.top.keyLength
  }

  get kind(): number {
    return this.top.kind
  }

  get sequence(): number {
    return this.top.sequence
  }

  get value(): Uint8Array {
    return this.top.value
  }

  get valueStart(): number {
    return this.top.valueStart
  }

  get valueEnd(): number {
    return this.top.valueEnd
  }

  /** Whether source `a` comes before source `b` in the present direction. */
  private before(a: number, b: number): boolean {
    const one = this.sources[a]
    const other = this.sources[b]
    let order = compareRanges(one.key, 0, one.keyLength, other.key, 0, other.keyLength)
    if (order === 0) order = other.sequence - one.sequence
    if (order === 0) order = a - b
    return this.forward ? order < 0 : order > 0
  }

  private build(): void {
    this.size = 0
    for (let i = 0; i < this.sources.length; i++) if (this.sources[i].valid) this.heap[this.size++] = i
    for (let i = (this.size >>> 1) - 1; i >= 0; i--) this.sink(i)
  }

  private sink(at: number): void {
    const { heap, size } = this
    const moved = heap[at]
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && this.before(heap[child + 1], heap[child])) child++
      if (!this.before(heap[child], moved)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = moved
  }

  /** The root has moved: on, or off its end. */
  private settle(): void {
    if (!this.top.valid) this.heap[0] = this.heap[--this.size]
    if (this.size > 1) this.sink(0)
  }

  seekFirst(): void {
    for (let i = 0; i < this.sources.length; i++) this.sources[i].seekFirst()
    this.forward = true
    this.build()
  }

  seekLast(): void {
    for (let i = 0; i < this.sources.length; i++) this.sources[i].seekLast()
    this.forward = false
    this.build()
  }

  seek(key: Uint8Array, start: number, end: number, sequence: number): void {
    for (let i = 0; i < this.sources.length; i++) this.sources[i].seek(key, start, end, sequence)
    this.forward = true
    this.build()
  }

  next(): void {
    if (!this.forward) this.turn(true)
    else {
      this.top.next()
      this.settle()
    }
  }

  previous(): void {
    if (this.forward) this.turn(false)
    else {
      this.top.previous()
      this.settle()
    }
  }

  /** Puts every source just behind, or before, where we stand. */
  private turn(forward: boolean): void {
    const { top } = this
    const here = this.heap[0]
    this.placeLength = top.keyLength
    this.placeSequence = top.sequence
    this.place = grown(this.place, 0, top.keyLength)
    for (let i = 0; i < top.keyLength; i++) this.place[i] = top.key[i]
    for (let i = 0; i < this.sources.length; i++) {
      if (i === here) continue
      const source = this.sources[i]
      source.seek(this.place, 0, this.placeLength, this.placeSequence)
      // Of equal entries those of earlier sources come before ours.
      const isBefore = i < here && this.isHere(source)
      if (forward) {
        if (isBefore) source.next()
      } else if (!source.valid) source.seekLast()
      else if (!isBefore) source.previous()
    }
    if (forward) top.next()
    else top.previous()
    this.forward = forward
    this.build()
  }

  private isHere(source: EntrySource): boolean {
    if (!source.valid || source.sequence !== this.placeSequence) return false
    return compareRanges(source.key, 0, source.keyLength, this.place, 0, this.placeLength) === 0
  }
}
