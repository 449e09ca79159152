/**
 * What a reader sees of a source of versions: of each key the newest version that is not newer than its bound, and not the
 * keys whose version is a delete.
 *
 * Thread safety: belongs to one thread, as its source does. Allocates nothing once the buffers are large enough.
 * Complexity: a step passes over all versions and deletes on its way.
 */
import { compareRanges, grown } from './byte-codec.ts'
import { KIND_DELETE, KIND_PUT, NEWEST, type EntrySource } from './entry.ts'

/** Before every version in the order of a key's versions would be NEWEST; behind all of them is this. */
const BEHIND = -1

export class VisibleSource {
  valid = false
  key: Uint8Array
  keyLength = 0
  sequence = 0
  value: Uint8Array
  valueStart = 0
  valueEnd = 0
  private readonly source: EntrySource
  private readonly bound: number
  private forward = true
  /** The key that is being passed over, or that was found on the way back. */
  private own: Uint8Array = new Uint8Array(256)
  private ownLength = 0
  private ownValue: Uint8Array = new Uint8Array(256)

  /** @param bound versions with a greater sequence are not seen; NEWEST to see all */
  constructor(source: EntrySource, bound: number) {
    this.source = source
    this.bound = bound
    this.key = this.own
    this.value = this.own
  }

  seekFirst(): void {
    this.forward = true
    this.source.seekFirst()
    this.findForward()
  }

  seekLast(): void {
    this.forward = false
    this.source.seekLast()
    this.findBackward()
  }

  /** To the first key at or after this one. */
  seek(key: Uint8Array, start: number, end: number): void {
    this.forward = true
    this.source.seek(key, start, end, NEWEST)
    this.findForward()
  }

  /** To the last key before this one, or at it if that is `inclusive`. */
  seekBack(key: Uint8Array, start: number, end: number, inclusive: boolean): void {
    this.forward = false
    this.source.seek(key, start, end, inclusive ? BEHIND : NEWEST)
    if (this.source.valid) this.source.previous()
    else this.source.seekLast()
    this.findBackward()
  }

  next(): void {
    if (this.forward) {
      this.remember(this.source)
      this.source.next()
    } else {
      // The source stands before all versions of our key, which is in `own`.
      this.forward = true
      this.source.seek(this.own, 0, this.ownLength, BEHIND)
      this.ownLength = 0
      this.findForward()
      return
    }
    this.skipOwn()
    this.findForward()
  }

  previous(): void {
    const { source } = this
    if (this.forward) {
      this.remember(source)
      this.forward = false
      source.seek(this.own, 0, this.ownLength, NEWEST)
      if (source.valid) source.previous()
    }
    this.findBackward()
  }

  private remember(source: EntrySource): void {
    const length = source.keyLength
    this.own = grown(this.own, 0, length)
    const { key } = source
    for (let i = 0; i < length; i++) this.own[i] = key[i]
    this.ownLength = length
  }

  private isOwn(): boolean {
    const { source } = this
    return compareRanges(source.key, 0, source.keyLength, this.own, 0, this.ownLength) === 0
  }

  private skipOwn(): void {
    const { source } = this
    while (source.valid && this.isOwn()) source.next()
  }

  private findForward(): void {
    const { source } = this
    this.valid = false
    while (source.valid) {
      if (source.sequence > this.bound) {
        source.next()
        continue
      }
      if (source.kind === KIND_PUT) {
        this.show(source.key, source.keyLength, source.value, source.valueStart, source.valueEnd, source.sequence)
        return
      }
      this.remember(source)
      source.next()
      this.skipOwn()
    }
  }

  private show(
    key: Uint8Array,
    keyLength: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    sequence: number,
  ): void {
    this.key = key
    this.keyLength = keyLength
    this.value = value
    this.valueStart = valueStart
    this.valueEnd = valueEnd
    this.sequence = sequence
    this.valid = true
  }

  /** From the oldest version of a key back to its newest: the last one within the bound is what is seen. */
  private findBackward(): void {
    const { source, bound } = this
    this.valid = false
    while (source.valid) {
      this.remember(source)
      let kind = KIND_DELETE
      let length = 0
      let sequence = 0
      while (source.valid && this.isOwn()) {
        if (source.sequence <= bound) {
          kind = source.kind
          sequence = source.sequence
          length = source.valueEnd - source.valueStart
          this.ownValue = grown(this.ownValue, 0, length)
          this.ownValue.set(source.value.subarray(source.valueStart, source.valueEnd))
        }
        source.previous()
      }
      if (kind === KIND_PUT) {
        this.show(this.own, this.ownLength, this.ownValue, 0, length, sequence)
        return
      }
    }
  }
}
