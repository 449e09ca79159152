/**
 * Reads of single keys as they are now: in the tree, or, where it says nothing of a key, in the tables, from which the key is
 * brought up (tree/filling.ts) if it is worth it (admission.ts).
 *
 * Thread safety: private to one store. Progress: lock-free, but for the disk.
 */
import { HeddleError } from '../memory/error.ts'
import { Admission } from './admission.ts'
import type { Staged } from './codec.ts'
import type { Engine } from './engine.ts'
import type { RecordReader } from './reader.ts'

export class ReadsNow {
  private readonly engine: Engine
  private readonly reader: RecordReader
  private readonly admission: Admission

  constructor(engine: Engine, reader: RecordReader) {
    this.engine = engine
    this.reader = reader
    this.admission = new Admission(engine.arena.buffer.byteLength, () => engine.pressure.isShort())
  }

  /** What `tree.key` has, to be finished by its codec, or undefined. */
  value(): Staged | undefined {
    const { tree, scheme } = this.engine
    scheme.enter()
    try {
      const record = tree.find()
      if (record !== 0) return this.reader.value(record, tree.search.header)
      if (!tree.unknown) return undefined
    } finally {
      scheme.leave()
    }
    return this.valueBelow()
  }

  private valueBelow(): Staged | undefined {
    const { tables, tree } = this.engine
    if (!tables!.look(tree.key)) return undefined
    const staged = this.reader.foreignValue(tables!.value, 0, tables!.length)
    if (this.admission.admits(tables!.keyHash)) tree.filling.offer(tables!)
    return staged
  }

  /** Copies the value's bytes. @returns how many, or -1. @throws HeddleError HEDDLE_BUFFER_TOO_SMALL */
  into(bytes: Uint8Array, offset: number): number {
    const { tree, scheme } = this.engine
    scheme.enter()
    try {
      const record = tree.find()
      if (record !== 0) {
        const { header } = tree.search
        const length = this.reader.valueBytes(record, header)
        if (length > bytes.length - offset) throw tooSmall(length, bytes.length - offset)
        this.reader.valueInto(record, header, bytes, offset, length)
        return length
      }
      if (!tree.unknown) return -1
    } finally {
      scheme.leave()
    }
    return this.intoFromBelow(bytes, offset)
  }

  private intoFromBelow(bytes: Uint8Array, offset: number): number {
    const { tables, tree } = this.engine
    if (!tables!.look(tree.key)) return -1
    const { value, length } = tables!
    if (length > bytes.length - offset) throw tooSmall(length, bytes.length - offset)
    bytes.set(value.subarray(0, length), offset)
    if (this.admission.admits(tables!.keyHash)) tree.filling.offer(tables!)
    return length
  }

  /** Whether `tree.key` is there. Brings nothing up. */
  has(): boolean {
    const { tree, scheme } = this.engine
    scheme.enter()
    try {
      const there = tree.find() !== 0
      if (there || !tree.unknown) return there
    } finally {
      scheme.leave()
    }
    return this.engine.tables!.look(tree.key)
  }
}

function tooSmall(length: number, room: number): HeddleError {
  return new HeddleError(
    'HEDDLE_BUFFER_TOO_SMALL',
    `the value takes ${length} bytes, ${room} are there; give a buffer with ${length} bytes from the offset on`,
  )
}
