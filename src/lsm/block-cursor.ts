/**
 * A position in the payload of a data or index block (format: block-builder.ts).
 *
 * Invariants: every length and offset is checked before it is followed, and every step goes on by at least four bytes, so
 * that a payload made up by somebody who knows the checksum leads to HEDDLE_CORRUPT or to entries, never out of the block
 * and never round in a circle. The payload may lie in shared memory, as long as the caller sees to it that it stays.
 *
 * Thread safety: belongs to one thread. Allocates only to grow for a longer key. Seek: O(log restarts + interval).
 */
import { compareRanges, grown, readU32, unzigzag, VarintReader } from './byte-codec.ts'
import { MAX_KEY_BYTES, MAX_SEQUENCE, type EntrySource } from './entry.ts'
import { corruptFile } from './file-error.ts'

const NOTHING = new Uint8Array(0)

/** What `locate` finds: nothing, an entry of a later key, or a version of the key. */
export const NOWHERE = 0
export const BEHIND = 1
export const SAME = 2

export class BlockCursor implements EntrySource {
  valid = false
  key: Uint8Array = new Uint8Array(256)
  keyLength = 0
  kind = 0
  sequence = 0
  value: Uint8Array = NOTHING
  valueStart = 0
  valueEnd = 0
  private file = ''
  private offset = 0
  private start = 0
  /** One past the last entry. */
  private end = 0
  private restarts = 0
  /** Where the present entry begins, and the next one. */
  private at = 0
  private following = 0
  /** The interval in which the present entry is. */
  private interval = 0
  private readonly varints = new VarintReader()
  private shared = 0
  private unshared = 0

  /**
   * Looks at a payload; there is no position yet.
   * @param file named in errors, with `offset`
   * @throws FileError HEDDLE_CORRUPT if the restart points cannot be
   */
  open(bytes: Uint8Array, start: number, length: number, file: string, offset: number): void {
    this.valid = false
    this.value = bytes
    this.start = start
    this.file = file
    this.offset = offset
    if (length < 4) this.fail('a block without restart points')
    this.restarts = readU32(bytes, start + length - 4)
    if (this.restarts > (length - 4) / 4) this.fail('more restart points than there is room for')
    this.end = start + length - 4 - 4 * this.restarts
    if ((this.restarts === 0) !== (this.end === start)) this.fail('entries without a restart point')
    if (this.restarts > 0 && this.restart(0) !== start) this.fail('the first restart point is not at the beginning')
  }

  private fail(what: string): never {
    this.valid = false
    throw corruptFile(this.file, this.offset, what)
  }

  /** Number of restart points. */
  get intervals(): number {
    return this.restarts
  }

  /** Gives up the position, and has the key of a restart point in `key[0..keyLength)`. */
  readRestart(index: number): void {
    this.load(this.restart(index), true)
    this.valid = false
  }

  private restart(index: number): number {
    const at = this.start + readU32(this.value, this.end + 4 * index)
    if (at >= this.end) this.fail('a restart point behind the entries')
    return at
  }

  /** Reads the lengths of the entry at `at`, whose key goes on from one of `known` bytes. The key begins at `varints.at`. */
  private readHeader(at: number, known: number, base: number): void {
    const { varints, end } = this
    varints.start(this.value, at, end)
    this.shared = varints.next()
    this.unshared = varints.next()
    const size = varints.next()
    const sequence = base + unzigzag(varints.next())
    const from = varints.at
    if (from < 0) this.fail('an entry that does not end')
    const keyLength = this.shared + this.unshared
    if (this.shared > known || keyLength > MAX_KEY_BYTES) this.fail('a key of an impossible length')
    if (!(sequence >= 0 && sequence <= MAX_SEQUENCE)) this.fail('an impossible sequence')
    const valueStart = from + this.unshared
    const valueEnd = valueStart + (size - (size % 2)) / 2
    if (valueEnd > end) this.fail('an entry that reaches beyond its block')
    this.keyLength = keyLength
    this.kind = size % 2
    this.sequence = sequence
    this.valueStart = valueStart
    this.valueEnd = valueEnd
    this.at = at
    this.following = valueEnd
  }

  /** Makes the entry at `at` the present one. @param isRestart whether it starts anew */
  private load(at: number, isRestart: boolean): void {
    if (isRestart) this.readHeader(at, 0, 0)
    else this.readHeader(at, this.keyLength, this.sequence)
    const { value, shared, unshared } = this
    if (this.keyLength > this.key.length) this.key = grown(this.key, shared, this.keyLength)
    const { key } = this
    const from = this.varints.at
    for (let i = 0; i < unshared; i++) key[shared + i] = value[from + i]
    this.valid = true
  }

  /** Whether the entry that follows begins a new interval: only then its sequence counts from 0. */
  private isRestart(at: number, interval: number): boolean {
    return interval < this.restarts && this.restart(interval) === at
  }

  seekFirst(): void {
    this.valid = false
    if (this.restarts === 0) return
    this.interval = 0
    this.load(this.start, true)
  }

  seekLast(): void {
    this.valid = false
    if (this.restarts === 0) return
    this.scanUntil(this.restarts - 1, this.end)
  }

  /** To the last entry before `stop`, from the beginning of an interval. */
  private scanUntil(interval: number, stop: number): void {
    this.interval = interval
    this.load(this.restart(interval), true)
    while (this.following < stop) this.next()
    if (this.following !== stop) this.fail('entries and restart points do not fit together')
  }

  next(): void {
    const at = this.following
    if (at >= this.end) {
      this.valid = false
      return
    }
    if (this.isRestart(at, this.interval + 1)) {
      this.interval++
      this.load(at, true)
    } else this.load(at, false)
  }

  previous(): void {
    const stop = this.at
    if (stop === this.start) {
      this.valid = false
      return
    }
    let { interval } = this
    if (this.restart(interval) === stop) interval--
    this.scanUntil(interval, stop)
  }

  seek(key: Uint8Array, start: number, end: number, sequence: number): void {
    this.valid = false
    if (this.restarts === 0) return
    this.interval = this.intervalBefore(key, start, end, sequence, 0, this.restarts - 1)
    this.load(this.restart(this.interval), true)
    while (this.valid && this.compare(key, start, end, sequence) < 0) this.next()
  }

  /**
   * Finds the entry that `seek` would go to, without putting its key together: kind, sequence and value are those of the
   * entry then, but there is no position to go on from.
   * @param low restart point that is known to come before that place, or 0
   * @param high the last one that may
   * @returns NOWHERE, BEHIND or SAME
   */
  locate(key: Uint8Array, start: number, end: number, sequence: number, low = 0, high = this.restarts - 1): number {
    this.valid = false
    if (this.restarts === 0) return NOWHERE
    let interval = this.intervalBefore(key, start, end, sequence, low, high)
    let restart = this.restart(interval)
    /** Bytes that the key sought and the present entry's have in common. */
    let matched = 0
    for (let at = restart; at < this.end; at = this.following) {
      if (at === restart) {
        this.readHeader(at, 0, 0)
        matched = 0
        restart = ++interval < this.restarts ? this.restart(interval) : this.end
      } else this.readHeader(at, this.keyLength, this.sequence)
      // What goes on from more than that has the byte in which the one before, too, came before the key sought.
      if (this.shared > matched) continue
      matched = this.matching(key, start, end)
      const order = this.orderAt(matched, key, start, end)
      if (order > 0) return BEHIND
      if (order === 0 && this.sequence <= sequence) return SAME
    }
    return NOWHERE
  }

  /** How far the key sought and the present entry's are the same; as far as the latter's `shared` they are. */
  private matching(key: Uint8Array, start: number, end: number): number {
    const { value, shared, unshared } = this
    const from = this.varints.at
    const most = Math.min(unshared, end - start - shared)
    let i = 0
    while (i < most && value[from + i] === key[start + shared + i]) i++
    return shared + i
  }

  /** Order of the present entry's key against one with which it has so many bytes in common. */
  private orderAt(matched: number, key: Uint8Array, start: number, end: number): number {
    const { keyLength } = this
    const length = end - start
    if (matched === keyLength || matched === length) return keyLength - length
    return this.value[this.varints.at + matched - this.shared] - key[start + matched]
  }

  /** The last interval from `low` to `high` that begins before the place sought; the first of them if there is none. */
  private intervalBefore(
    key: Uint8Array,
    start: number,
    end: number,
    sequence: number,
    low: number,
    high: number,
  ): number {
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.compareRestart(middle, key, start, end, sequence) < 0) low = middle
      else high = middle - 1
    }
    return low
  }

  private compareRestart(index: number, key: Uint8Array, start: number, end: number, sequence: number): number {
    this.readHeader(this.restart(index), 0, 0)
    const from = this.varints.at
    const order = compareRanges(this.value, from, from + this.unshared, key, start, end)
    return order !== 0 ? order : sequence - this.sequence
  }

  /** Order of the present entry against a place. */
  compare(key: Uint8Array, start: number, end: number, sequence: number): number {
    const order = compareRanges(this.key, 0, this.keyLength, key, start, end)
    return order !== 0 ? order : sequence - this.sequence
  }

  /** Whether the present entry is a version of that key. */
  isAt(key: Uint8Array, start: number, end: number): boolean {
    return (
      this.valid && this.keyLength === end - start && compareRanges(this.key, 0, this.keyLength, key, start, end) === 0
    )
  }
}
