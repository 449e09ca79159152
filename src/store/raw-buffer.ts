import { markAsUntransferable } from 'node:worker_threads'

/**
 * Node's buffers over shared memory, with the methods that go straight to the native encoders. `buffer.write(s, at, n,
 * 'latin1')` ends there too, after parsing its arguments, which costs as much again.
 */
export interface RawBuffer extends Buffer {
  latin1Write(text: string, at: number, length: number): number
  utf8Write(text: string, at: number, length: number): number
  latin1Slice(from: number, to: number): string
  utf8Slice(from: number, to: number): string
}

/** A buffer over the whole of some memory. */
export function rawBuffer(memory: ArrayBufferLike): RawBuffer {
  return Buffer.from(memory as ArrayBuffer) as unknown as RawBuffer
}

/**
 * Makes views that are buffers, as `buffer.subarray` does, at less than half its cost. They are instances of Buffer: the
 * constructor that Node has for them is not to be had.
 */
class View extends Uint8Array {}
Object.setPrototypeOf(View.prototype, Buffer.prototype as object)
Reflect.deleteProperty(View.prototype, 'constructor')

const SLAB_BYTES = 1 << 15
/** Copies larger than this get memory of their own. */
const SLAB_SHARE = 1 << 10

/**
 * Hands out small private copies from slabs, as Node's own pool does, but copying words in a loop where both sides are
 * aligned: that costs less than the call of the native copy.
 */
export class Copier {
  private readonly from: RawBuffer
  private readonly words: Int32Array
  private slab = new ArrayBuffer(0)
  private slabWords: Int32Array = new Int32Array(0)
  private at = SLAB_BYTES + 1

  constructor(from: RawBuffer, words: Int32Array) {
    this.from = from
    this.words = words
  }

  /** A copy of bytes of the memory given to the constructor. */
  copy(at: number, length: number): Buffer {
    if (length > SLAB_SHARE || (at & 3) !== 0) return copyBytes(this.from, at, length)
    if (this.at + length > SLAB_BYTES) this.newSlab()
    const { words, slabWords } = this
    const begin = this.at
    this.at = begin + ((length + 7) & ~7)
    const source = at / 4
    const target = begin >>> 2
    const count = (length + 3) >>> 2
    for (let i = 0; i < count; i++) slabWords[target + i] = words[source + i]
    return new View(this.slab, begin, length) as unknown as Buffer
  }

  private newSlab(): void {
    this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES).buffer as ArrayBuffer
    // As for Node's own pool: transferring one copy must not take the others along.
    markAsUntransferable(this.slab)
    this.slabWords = new Int32Array(this.slab)
    this.at = 0
  }
}

/** A private copy of bytes that lie in shared memory. */
export function copyBytes(from: RawBuffer, at: number, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length)
  from.copy(copy, 0, at, at + length)
  return copy
}
