/** Encodes staged values into records of the participant's own, and has the tree link them. */
import { HeddleError } from '../memory/error.ts'
import { maxValueBytes } from '../tree/record-writer.ts'
import type { Tree } from '../tree/tree.ts'
import type { Staged, ValueCodec } from './codec.ts'
import type { RawBuffer } from './raw-buffer.ts'

export class RecordEncoder {
  private readonly tree: Tree
  private readonly raw: RawBuffer
  private readonly values: ValueCodec
  private readonly inlineBytes: number
  private readonly mostBytes: number

  /** @param raw the whole arena */
  constructor(tree: Tree, raw: RawBuffer, values: ValueCodec) {
    const { layout } = tree.context.arena
    this.tree = tree
    this.raw = raw
    this.values = values
    this.inlineBytes = layout.inlineBytes
    this.mostBytes = maxValueBytes(layout.segmentWords)
  }

  /**
   * Writes the record for `tree.key` and a staged value; nobody else can see it yet.
   * @throws HeddleError HEDDLE_INVALID_VALUE, HEDDLE_TOO_LARGE, HEDDLE_FULL; nothing is left behind then
   */
  write(staged: Staged): void {
    const { values } = this
    const { writer, key } = this.tree
    const bound = values.bound(staged)
    if (bound > this.inlineBytes) {
      this.writeLong(staged)
      return
    }
    const at = writer.begin(key, bound)
    const written = values.write(staged, this.raw, at, bound)
    if (written < 0) {
      writer.abandon()
      throw values.refusal()
    }
    writer.finish(key.length, written, values.isAscii(staged, written))
  }

  private writeLong(staged: Staged): void {
    const { values } = this
    const size = values.size(staged)
    this.checkSize(size)
    const bytes = Buffer.allocUnsafeSlow(size) as unknown as RawBuffer
    if (values.write(staged, bytes, 0, size) < 0) throw values.refusal()
    this.writeBytes(bytes, values.isAscii(staged, size))
  }

  /**
   * Writes the record for `tree.key` and a value that is encoded already.
   * @param ascii whether the codec says that of it
   * @throws HeddleError HEDDLE_TOO_LARGE, HEDDLE_FULL
   */
  writeBytes(bytes: RawBuffer, ascii: boolean): void {
    const { writer, key } = this.tree
    const size = bytes.length
    this.checkSize(size)
    if (size > this.inlineBytes) {
      writer.writeLarge(key, bytes, size, ascii)
      return
    }
    const at = writer.begin(key, size)
    this.raw.set(bytes, at)
    writer.finish(key.length, size, ascii)
  }

  private checkSize(size: number): void {
    if (size <= this.mostBytes) return
    throw new HeddleError(
      'HEDDLE_TOO_LARGE',
      `the value takes ${size} bytes, the most in this store is ${this.mostBytes}; split it over several keys`,
    )
  }

  /** Links the record just written, as `tree.put` says, or drops it. @returns whether it was linked */
  link(mode: number, since: number): boolean {
    let linked = false
    try {
      linked = this.tree.put(mode, since)
    } finally {
      if (!linked) this.tree.writer.abandon()
    }
    return linked
  }
}
