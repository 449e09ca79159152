/**
 * Which keys that were read below the tree are worth being brought up into it.
 *
 * While there is room, all are. When memory is short, what is brought up drives something else out, and costs an eviction and
 * cleaning: then only a key that was read below before, and not so long ago, comes up. A random read of a store that is much
 * larger than its memory is mostly the only one of its key for a long time.
 *
 * What was read is remembered by hashes in a table of fixed size, where a later key takes the place of an earlier one: nothing has to
 * age. Two keys of one hash bring each other up too early, which does no harm.
 *
 * Thread safety: private to one store. Progress: wait-free, O(1), but for a look at all segments once in LOOKS reads.
 */

/** Reads below between two looks at how much of the memory is in use. */
const LOOKS = 256
/** Of memory, for each key that is remembered; and the numbers of keys, powers of two. */
const BYTES_PER_KEY = 256
const LEAST_KEYS = 2 ** 10
const MOST_KEYS = 2 ** 16

export class Admission {
  private readonly isShort: () => boolean
  private readonly keys: number
  /** Made when it is needed: most stores have nothing below, or have room. */
  private seen: Int32Array | undefined
  private short = false
  private looksIn = 0

  /**
   * @param memory bytes of the store
   * @param isShort whether memory is short now
   */
  constructor(memory: number, isShort: () => boolean) {
    this.keys = Math.min(MOST_KEYS, Math.max(LEAST_KEYS, 2 ** Math.floor(Math.log2(memory / BYTES_PER_KEY))))
    this.isShort = isShort
  }

  /** Memory that it takes for what it remembers. */
  get bytes(): number {
    return this.seen?.byteLength ?? 0
  }

  /** Whether a key that has just been read below is to be brought up. @param hash of the key, 32 bits */
  admits(hash: number): boolean {
    if (this.looksIn === 0) {
      this.looksIn = LOOKS
      this.short = this.isShort()
    }
    this.looksIn--
    if (!this.short) return true
    const seen = (this.seen ??= new Int32Array(this.keys))
    // The low bits tell the place, so the mark must have the others; 0 is no mark.
    const at = hash & (seen.length - 1)
    const mark = hash | 1
    if (seen[at] === mark) return true
    seen[at] = mark
    return false
  }
}
