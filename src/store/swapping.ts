/**
 * Changing a key's value depending on what it is: compareAndSet and update.
 *
 * Thread safety: one Swapping belongs to one store. Progress: lock-free; a try that fails has lost to another thread's
 * change. The user's code runs outside of critical regions, and nothing half-done is in the store's hands meanwhile.
 */
import { PUT_ABSENT } from '../tree/tree.ts'
import type { KeyCodec, Staged, ValueCodec } from './codec.ts'
import type { Engine } from './engine.ts'
import { type RawBuffer, rawBuffer } from './raw-buffer.ts'
import type { RecordReader } from './reader.ts'
import type { RecordEncoder } from './record-encoder.ts'

/** The tree does not know the key. */
const UNKNOWN = -2

export class Swapping<K, V> {
  private readonly engine: Engine
  private readonly keyCodec: KeyCodec
  private readonly valueCodec: ValueCodec
  private readonly reader: RecordReader
  private readonly encoder: RecordEncoder
  private readonly check: () => void
  /** The encoded value that is expected. */
  private expected: RawBuffer = rawBuffer(new ArrayBuffer(256))
  private expectedLength = 0
  private updated: V | undefined = undefined

  /** @param check throws if the store was closed meanwhile */
  constructor(
    engine: Engine,
    keys: KeyCodec,
    values: ValueCodec,
    reader: RecordReader,
    encoder: RecordEncoder,
    check: () => void,
  ) {
    this.engine = engine
    this.keyCodec = keys
    this.valueCodec = values
    this.reader = reader
    this.encoder = encoder
    this.check = check
  }

  /** See Store. */
  compareAndSet(key: K, old: V | undefined, next: V | undefined): boolean {
    const stagedOld = old === undefined ? undefined : this.valueCodec.stage(old)
    const stagedNext = next === undefined ? undefined : this.valueCodec.stage(next)
    // In this order: a custom key encoder may call the store.
    this.keyCodec.encode(key, this.engine.tree.key)
    if (stagedOld !== undefined) this.encodeExpected(stagedOld)
    return this.swap(stagedOld !== undefined, stagedNext)
  }

  /** Replaces what is under `tree.key` by the next value while it is the expected one (or absent). */
  private swap(present: boolean, stagedNext: Staged | undefined): boolean {
    const { tree, scheme } = this.engine
    for (;;) {
      const since = scheme.epoch()
      const record = this.matches(present, since)
      if (record === UNKNOWN) {
        this.engine.bring()
        continue
      }
      if (record < 0) return false
      if (stagedNext === undefined) {
        if (record === 0 || tree.remove(record, since)) return true
        continue
      }
      this.encoder.write(stagedNext)
      if (this.encoder.link(record === 0 ? PUT_ABSENT : record, since)) return true
    }
  }

  private encodeExpected(staged: Staged): void {
    const size = this.valueCodec.size(staged)
    if (size > this.expected.length || this.expected.length > 65536)
      this.expected = rawBuffer(new ArrayBuffer(size * 2))
    this.expectedLength = this.valueCodec.write(staged, this.expected, 0, size)
    if (this.expectedLength < 0) throw this.valueCodec.refusal()
  }

  /** The record of `tree.key` if its value is the expected one, 0 if absence was expected and found, UNKNOWN, else -1. */
  private matches(present: boolean, since: number): number {
    const { tree, scheme } = this.engine
    scheme.enter()
    try {
      const record = tree.find()
      if (record === 0 && tree.unknown) return UNKNOWN
      if (record === 0) return present ? -1 : 0
      if (!present) return -1
      if (!this.reader.valueEquals(record, tree.search.header, this.expected, this.expectedLength)) return -1
      tree.remember(since)
      return record
    } finally {
      scheme.leave()
    }
  }

  /** See Store. */
  update(key: K, fn: (old: V | undefined) => V | undefined): V | undefined {
    for (let tries = 0; ; tries++) {
      if (this.tryUpdate(key, fn, tries > 0)) {
        const { updated } = this
        this.updated = undefined
        return updated
      }
    }
  }

  /**
   * One round of `update`. The callback runs outside of any critical region, so it may take its time. Normally the record
   * it was given must still be there; but once a round has failed, perhaps because the record may have been recycled
   * meanwhile, it is the value's bytes that must be the same.
   */
  private tryUpdate(key: K, fn: (old: V | undefined) => V | undefined, byBytes: boolean): boolean {
    const { tree, scheme } = this.engine
    this.keyCodec.encode(key, tree.key)
    let staged: Staged | undefined
    let bytes: Uint8Array | undefined
    let since = 0
    let record = 0
    do {
      since = scheme.epoch()
      scheme.enter()
      try {
        record = tree.find()
        if (record !== 0) {
          tree.remember(since)
          staged = this.reader.value(record, tree.search.header)
          if (byBytes) bytes = this.reader.valueCopy(record, tree.search.header)
        }
      } finally {
        scheme.leave()
      }
    } while (record === 0 && tree.unknown && this.bring())
    const next = fn(staged === undefined ? undefined : (this.valueCodec.finish(staged) as V))
    const stagedNext = next === undefined ? undefined : this.valueCodec.stage(next)
    this.check()
    this.keyCodec.encode(key, tree.key)
    const done = byBytes ? this.swapBytes(bytes, stagedNext) : this.swapRecord(record, since, stagedNext)
    if (done) this.updated = next
    return done
  }

  /** Has the tree know the key. */
  private bring(): boolean {
    this.engine.bring()
    return true
  }

  private swapBytes(bytes: Uint8Array | undefined, stagedNext: Staged | undefined): boolean {
    if (bytes !== undefined) {
      this.expected = rawBuffer(bytes.buffer).subarray(bytes.byteOffset, bytes.byteOffset + bytes.length) as RawBuffer
      this.expectedLength = bytes.length
    }
    return this.swap(bytes !== undefined, stagedNext)
  }

  private swapRecord(record: number, since: number, stagedNext: Staged | undefined): boolean {
    if (stagedNext === undefined) return record === 0 || this.engine.tree.remove(record, since)
    this.encoder.write(stagedNext)
    return this.encoder.link(record === 0 ? PUT_ABSENT : record, since)
  }
}
