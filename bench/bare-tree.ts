/**
 * A bare B+tree: what a point read and an overwrite cost on this machine when nothing is shared, nothing is logged and
 * nobody is waited for. One thread, private memory, keys of 16 bytes, values of 100, no deletes, overwriting in place.
 * It has what makes heddle's search fast, heads after the common prefix of a page, so that the difference is the price of
 * sharing and not of a worse search.
 *
 * A page is PAGE_WORDS words: a line with its level, its count, the number of bytes that its keys have in common, its right
 * neighbour (the first page is nobody's, so 0 is none) and the common bytes; then heads; then entries, each a key and a child, or, in a leaf, a place in the value area. A key of an inner page
 * is the smallest one below the child.
 */
import { KEY_BYTES, VALUE_BYTES } from './load.ts'

const ENTRIES = 128
const KEY_WORDS = KEY_BYTES / 4
const VALUE_WORDS = VALUE_BYTES / 4
const LEVEL = 0
const COUNT = 1
const PREFIX = 2
const RIGHT = 3
const COMMON = 4
const HEADS = 16
const KEYS = HEADS + ENTRIES
const ENTRY_WORDS = KEY_WORDS + 1
const PAGE_WORDS = KEYS + ENTRIES * ENTRY_WORDS
/** Pages are half full at worst, but for the root. */
const RECORDS_PER_PAGE = 60
const SLAB_BYTES = 1 << 15

/** What Buffer has and its types lack. */
interface Latin1Buffer {
  latin1Slice(from: number, to: number): string
}

export class BareTree {
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly values: Int32Array
  private readonly valueBytes: Uint8Array
  private readonly keyText: Latin1Buffer
  /** The last entry of a scan: kept, so that making it is not optimised away. */
  private readonly entry: [string, Uint8Array | null] = ['', null]
  private root: number
  private pages = 0
  private records = 0
  private readonly key = new Uint8Array(KEY_BYTES)
  private readonly keyWords = new Int32Array(this.key.buffer)
  /** Pages on the way down, and the children taken. */
  private readonly path: number[] = []
  private readonly turns: number[] = []
  private slab: Buffer = Buffer.alloc(0)
  private slabWords: Int32Array = new Int32Array(0)
  private slabAt = SLAB_BYTES
  private target: Uint8Array | null = null
  private targetWords: Int32Array = new Int32Array(0)

  /** @param most records there is room for */
  constructor(most: number) {
    const pages = Math.ceil((most / RECORDS_PER_PAGE) * 1.05) + 4
    this.words = new Int32Array(pages * PAGE_WORDS)
    this.bytes = new Uint8Array(this.words.buffer)
    this.keyText = Buffer.from(this.words.buffer) as unknown as Latin1Buffer
    this.values = new Int32Array(most * VALUE_WORDS)
    this.valueBytes = new Uint8Array(this.values.buffer)
    this.root = this.newPage(0)
  }

  get size(): number {
    return this.records
  }

  private newPage(level: number): number {
    const page = this.pages++ * PAGE_WORDS
    if (page + PAGE_WORDS > this.words.length) throw new Error('the bare tree is full')
    this.words[page + LEVEL] = level
    return page
  }

  private encode(key: string): void {
    const bytes = this.key
    for (let i = 0; i < KEY_BYTES; i++) bytes[i] = key.charCodeAt(i)
  }

  private keyAt(page: number, i: number): number {
    return (page + KEYS + i * ENTRY_WORDS) * 4
  }

  private refAt(page: number, i: number): number {
    return page + KEYS + i * ENTRY_WORDS + KEY_WORDS
  }

  /** Four bytes of a key, biased so that signed order is byte order; zeros past its end. */
  private head(bytes: Uint8Array, at: number, prefix: number): number {
    let head = 0
    for (let i = prefix; i < prefix + 4; i++) head = (head << 8) | (i < KEY_BYTES ? bytes[at + i] : 0)
    return head ^ (1 << 31)
  }

  private compare(at: number): number {
    const { key, bytes } = this
    for (let i = 0; i < KEY_BYTES; i++) {
      const difference = key[i] - bytes[at + i]
      if (difference !== 0) return difference
    }
    return 0
  }

  /** Entries of the page that are smaller than the key, or, with `orEqual`, not greater. */
  private rank(page: number, orEqual: boolean): number {
    const { words, bytes, key } = this
    const count = words[page + COUNT]
    if (count === 0) return 0
    const prefix = words[page + PREFIX]
    const common = (page + COMMON) * 4
    for (let i = 0; i < prefix; i++) if (key[i] !== bytes[common + i]) return key[i] < bytes[common + i] ? 0 : count
    const head = this.head(key, 0, prefix)
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = words[page + HEADS + middle]
      let isBelow = other < head
      if (other === head) {
        const order = this.compare(this.keyAt(page, middle))
        isBelow = order > 0 || (orEqual && order === 0)
      }
      if (isBelow) low = middle + 1
      else high = middle
    }
    return low
  }

  private child(page: number): number {
    return Math.max(0, this.rank(page, true) - 1)
  }

  /** The place of the key's value, or -1. */
  private find(key: string): number {
    const { words } = this
    this.encode(key)
    let page = this.root
    while (words[page + LEVEL] > 0) page = words[this.refAt(page, this.child(page))]
    const i = this.rank(page, false)
    if (i === words[page + COUNT]) return -1
    const at = page + KEYS + i * ENTRY_WORDS
    for (let w = 0; w < KEY_WORDS; w++) if (words[at + w] !== this.keyWords[w]) return -1
    return words[this.refAt(page, i)]
  }

  /** A copy of the value, made as heddle makes its own: from a slab, word by word. */
  get(key: string): Uint8Array | undefined {
    const place = this.find(key)
    return place < 0 ? undefined : this.copyOf(place)
  }

  private copyOf(place: number): Uint8Array {
    if (this.slabAt + VALUE_BYTES > SLAB_BYTES) {
      this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.slabWords = new Int32Array(this.slab.buffer)
      this.slabAt = 0
    }
    const { values, slabWords, slabAt } = this
    this.slabAt += (VALUE_BYTES + 7) & ~7
    for (let w = 0; w < VALUE_WORDS; w++) slabWords[slabAt / 4 + w] = values[place + w]
    return this.slab.subarray(slabAt, slabAt + VALUE_BYTES)
  }

  /** Copies the value into a buffer that begins at a whole word. @returns its length, or -1 */
  getInto(key: string, bytes: Uint8Array): number {
    const place = this.find(key)
    if (place < 0) return -1
    if (this.target !== bytes) {
      this.target = bytes
      this.targetWords = new Int32Array(bytes.buffer, bytes.byteOffset, VALUE_WORDS)
    }
    const { values, targetWords } = this
    for (let w = 0; w < VALUE_WORDS; w++) targetWords[w] = values[place + w]
    return VALUE_BYTES
  }

  /** Reads entries from a key on, each a string and a copy of its value. @returns bytes of the values read */
  scan(from: string, limit: number): number {
    const { words } = this
    this.encode(from)
    let page = this.root
    while (words[page + LEVEL] > 0) page = words[this.refAt(page, this.child(page))]
    let i = this.rank(page, false)
    let sum = 0
    for (let taken = 0; taken < limit;) {
      if (i >= words[page + COUNT]) {
        page = words[page + RIGHT]
        if (page === 0) break
        i = 0
        continue
      }
      const at = this.keyAt(page, i)
      this.entry[0] = this.keyText.latin1Slice(at, at + KEY_BYTES)
      this.entry[1] = this.copyOf(words[this.refAt(page, i)])
      sum += (this.entry[1] as Uint8Array).length
      taken++
      i++
    }
    return sum
  }

  /** Overwrites in place, or inserts. */
  set(key: string, value: Uint8Array): void {
    let place = this.find(key)
    if (place < 0) place = this.insert()
    this.valueBytes.set(value, place * 4)
  }

  /** Makes an entry for the encoded key. @returns the place of its value */
  private insert(): number {
    const { words, path, turns } = this
    path.length = 0
    turns.length = 0
    let page = this.root
    while (words[page + LEVEL] > 0) {
      const turn = this.child(page)
      if (turn === 0 && this.compare(this.keyAt(page, 0)) < 0) this.lower(page)
      path.push(page)
      turns.push(turn)
      page = words[this.refAt(page, turn)]
    }
    if (words[page + COUNT] === ENTRIES) {
      this.split(page)
      return this.insert()
    }
    const place = this.records++ * VALUE_WORDS
    this.insertAt(page, this.rank(page, false), this.key, 0, place)
    return place
  }

  /** The first key of an inner page is the smallest of all below it: makes it the encoded one. */
  private lower(page: number): void {
    this.bytes.set(this.key, this.keyAt(page, 0))
    this.measurePrefix(page)
  }

  private insertAt(page: number, i: number, from: Uint8Array, at: number, ref: number): void {
    const { words, bytes } = this
    const count = words[page + COUNT]
    words.copyWithin(page + HEADS + i + 1, page + HEADS + i, page + HEADS + count)
    words.copyWithin(
      page + KEYS + (i + 1) * ENTRY_WORDS,
      page + KEYS + i * ENTRY_WORDS,
      page + KEYS + count * ENTRY_WORDS,
    )
    for (let b = 0; b < KEY_BYTES; b++) bytes[this.keyAt(page, i) + b] = from[at + b]
    words[this.refAt(page, i)] = ref
    words[page + COUNT] = count + 1
    // Only a new first or last key can have less in common with the others.
    if (i === 0 || i === count) this.measurePrefix(page)
    else words[page + HEADS + i] = this.head(from, at, words[page + PREFIX])
  }

  /** Finds what the keys of a page have in common, and makes their heads anew. */
  private measurePrefix(page: number): void {
    const { words, bytes } = this
    const count = words[page + COUNT]
    const first = this.keyAt(page, 0)
    const last = this.keyAt(page, count - 1)
    let prefix = 0
    if (count > 1) while (prefix < KEY_BYTES && bytes[first + prefix] === bytes[last + prefix]) prefix++
    words[page + PREFIX] = prefix
    bytes.copyWithin((page + COMMON) * 4, first, first + KEY_BYTES)
    for (let i = 0; i < count; i++) words[page + HEADS + i] = this.head(bytes, this.keyAt(page, i), prefix)
  }

  /** Splits a full page, its parents first if need be; `path` leads to it. */
  private split(page: number): void {
    const { words, path, turns } = this
    if (path.length === 0) {
      this.root = this.newPage(words[page + LEVEL] + 1)
      this.insertAt(this.root, 0, this.bytes, this.keyAt(page, 0), page)
      path.push(this.root)
      turns.push(0)
    }
    const parent = path.pop()!
    const turn = turns.pop()!
    if (words[parent + COUNT] === ENTRIES) {
      // The way down is another one afterwards, so the caller begins again.
      this.split(parent)
      return
    }
    const right = this.newPage(words[page + LEVEL])
    const half = ENTRIES / 2
    words.copyWithin(right + KEYS, page + KEYS + half * ENTRY_WORDS, page + KEYS + ENTRIES * ENTRY_WORDS)
    words[page + COUNT] = half
    words[right + COUNT] = half
    words[right + RIGHT] = words[page + RIGHT]
    words[page + RIGHT] = right
    this.measurePrefix(page)
    this.measurePrefix(right)
    this.insertAt(parent, turn + 1, this.bytes, this.keyAt(right, 0), right)
  }
}
