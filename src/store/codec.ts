/**
 * Codecs: how keys and values become bytes. Keys are ordered by their encoded bytes.
 *
 * Encoding a value has two stages. `stage` runs whatever code of the user's there is (toJSON, a custom encoder) and
 * checks; nothing of the store is touched, so it may throw and may call the store. Then `bound` and `write` put the staged
 * value where it belongs, in memory that nobody else can see yet.
 */
import { HeddleError } from '../memory/error.ts'
import type { KeyBuffer } from '../tree/key.ts'
import { type Copier, type RawBuffer, copyBytes, rawBuffer } from './raw-buffer.ts'

/** Turns something into bytes and back. The bytes given to `decode` are a copy of its own. */
export interface CustomCodec<T> {
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
}

export type KeyCodecName = 'utf8' | 'binary' | 'number'
export type ValueCodecName = 'utf8' | 'binary' | 'json' | 'number'
export type KeyCodecOption = KeyCodecName | CustomCodec<unknown>
export type ValueCodecOption = ValueCodecName | CustomCodec<unknown>
/** What a codec option makes of keys. */
export type KeyOf<C> =
  C extends CustomCodec<infer T> ? T : C extends 'number' ? number : C extends 'binary' ? Uint8Array : string
/** What a codec option makes of values; JSON gives `unknown`, for the caller to say what it is. */
export type ValueOf<C> = C extends 'json' ? unknown : KeyOf<C>

/** Longest key in bytes. */
export const MAX_KEY_BYTES = 1024
/** Strings up to this length are encoded faster by a loop than by a native call. */
const SHORT_STRING = 40

export type Staged = string | number | Uint8Array

function invalidKey(what: string): HeddleError {
  return new HeddleError('HEDDLE_INVALID_KEY', what)
}

function invalidValue(what: string): HeddleError {
  return new HeddleError('HEDDLE_INVALID_VALUE', what)
}

function tooLongKey(bytes: number): HeddleError {
  return new HeddleError(
    'HEDDLE_TOO_LARGE',
    `the key takes ${bytes} bytes, the most is ${MAX_KEY_BYTES}; use a shorter key, for instance a hash of it`,
  )
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value
}

/** Encodes keys into a KeyBuffer and decodes them from anywhere. */
export abstract class KeyCodec {
  /** Whether the encoding of a beginning is the beginning of the encoding. */
  readonly hasPrefixes: boolean = true
  /** Whether it is the user's, who may give other bytes for the same key later. */
  readonly isCustom: boolean = false
  /** @throws HeddleError HEDDLE_INVALID_KEY, HEDDLE_TOO_LARGE */
  abstract encode(key: unknown, into: KeyBuffer): void
  /** Decodes from shared memory. Runs no code of the user's. */
  abstract read(from: RawBuffer, at: number, length: number): Staged
  /**
   * Decodes many keys, as `read` would one by one.
   * @param words the same memory as `from`
   * @param ats words where the keys begin
   * @param lengths in bytes
   */
  readAll(
    from: RawBuffer,
    _words: Int32Array,
    ats: Int32Array,
    lengths: Int32Array,
    count: number,
    to: Staged[],
  ): void {
    for (let i = 0; i < count; i++) to[i] = this.read(from, ats[i] * 4, lengths[i])
  }
  /** Finishes decoding outside of any critical region; may run the user's code. */
  finish(read: Staged): unknown {
    return read
  }
}

/** Bytes of keys that are decoded by one call: a key that is kept keeps so many. */
const DECODED_BYTES = 1024

class Utf8Keys extends KeyCodec {
  private readonly scratch = rawBuffer(new ArrayBuffer(4 * MAX_KEY_BYTES))
  private readonly scratchWords = new Int32Array(this.scratch.buffer)

  encode(key: unknown, into: KeyBuffer): void {
    if (typeof key !== 'string') throw invalidKey(`a key of type ${typeName(key)}; this store takes strings as keys`)
    const { length } = key
    if (length > MAX_KEY_BYTES) throw tooLongKey(Buffer.byteLength(key))
    if (!into.copyAscii(key)) this.encodeWide(key, into)
  }

  private encodeWide(key: string, into: KeyBuffer): void {
    if (!key.isWellFormed()) {
      throw invalidKey(
        'the key has a lone surrogate, which UTF-8 cannot express; use well-formed strings or binary keys',
      )
    }
    const length = this.scratch.utf8Write(key, 0, this.scratch.length)
    if (length > MAX_KEY_BYTES) throw tooLongKey(length)
    into.copyFrom(this.scratch, 0, length)
  }

  read(from: RawBuffer, at: number, length: number): string {
    return from.utf8Slice(at, at + length)
  }

  /** A call of the native decoder costs as much as decoding some hundred bytes: ASCII keys are decoded in one string. */
  override readAll(
    from: RawBuffer,
    words: Int32Array,
    ats: Int32Array,
    lengths: Int32Array,
    count: number,
    to: Staged[],
  ): void {
    for (let first = 0; first < count;) {
      let end = first
      let bytes = 0
      let wide = 0
      while (end < count && bytes <= DECODED_BYTES) {
        wide |= this.gather(words, ats[end], lengths[end], bytes)
        bytes += (lengths[end++] + 3) & ~3
      }
      if (wide === 0) this.cut(lengths, first, end, bytes, to)
      else for (let i = first; i < end; i++) to[i] = this.read(from, ats[i] * 4, lengths[i])
      first = end
    }
  }

  /** Copies a key to the scratch bytes. @returns 0 if it is ASCII */
  private gather(words: Int32Array, at: number, length: number, to: number): number {
    const { scratchWords } = this
    const target = to >>> 2
    const whole = length >>> 2
    let all = 0
    for (let i = 0; i < whole; i++) all |= scratchWords[target + i] = words[at + i]
    const rest = length & 3
    if (rest !== 0) all |= scratchWords[target + whole] = words[at + whole] & ((1 << (rest << 3)) - 1)
    return all & 0x80808080
  }

  private cut(lengths: Int32Array, first: number, end: number, bytes: number, to: Staged[]): void {
    const all = this.scratch.latin1Slice(0, bytes)
    let at = 0
    for (let i = first; i < end; i++) {
      to[i] = all.slice(at, at + lengths[i])
      at += (lengths[i] + 3) & ~3
    }
  }
}

class BinaryKeys extends KeyCodec {
  encode(key: unknown, into: KeyBuffer): void {
    if (!(key instanceof Uint8Array)) {
      throw invalidKey(`a key of type ${typeName(key)}; this store takes Uint8Arrays as keys`)
    }
    if (key.length > MAX_KEY_BYTES) throw tooLongKey(key.length)
    into.copyFrom(key, 0, key.length)
  }

  read(from: RawBuffer, at: number, length: number): Uint8Array {
    return copyBytes(from, at, length)
  }
}

class NumberKeys extends KeyCodec {
  override readonly hasPrefixes: boolean = false
  private readonly view = new DataView(new ArrayBuffer(8))

  /** Big-endian IEEE 754 with the sign folded in, so that byte order is numeric order. */
  encode(key: unknown, into: KeyBuffer): void {
    if (typeof key !== 'number') throw invalidKey(`a key of type ${typeName(key)}; this store takes numbers as keys`)
    if (Number.isNaN(key)) throw invalidKey('NaN has no place in an order; use another number as the key')
    const { view } = this
    view.setFloat64(0, key === 0 ? 0 : key)
    const high = view.getUint32(0)
    const negative = (high & 0x80000000) !== 0
    view.setUint32(0, negative ? ~high >>> 0 : (high | 0x80000000) >>> 0)
    if (negative) view.setUint32(4, ~view.getUint32(4) >>> 0)
    for (let i = 0; i < 8; i++) into.bytes[i] = view.getUint8(i)
    into.finish(8)
  }

  read(from: RawBuffer, at: number): number {
    const { view } = this
    for (let i = 0; i < 8; i++) view.setUint8(i, from[at + i])
    const high = view.getUint32(0)
    const negative = (high & 0x80000000) === 0
    view.setUint32(0, negative ? ~high >>> 0 : (high & 0x7fffffff) >>> 0)
    if (negative) view.setUint32(4, ~view.getUint32(4) >>> 0)
    return view.getFloat64(0)
  }
}

class CustomKeys extends KeyCodec {
  override readonly isCustom = true
  private readonly codec: CustomCodec<unknown>

  constructor(codec: CustomCodec<unknown>) {
    super()
    this.codec = codec
  }

  encode(key: unknown, into: KeyBuffer): void {
    const bytes = this.codec.encode(key)
    if (!(bytes instanceof Uint8Array)) throw invalidKey('the key encoder gave no Uint8Array; mend its encode function')
    if (bytes.length > MAX_KEY_BYTES) throw tooLongKey(bytes.length)
    into.copyFrom(bytes, 0, bytes.length)
  }

  read(from: RawBuffer, at: number, length: number): Staged {
    return copyBytes(from, at, length)
  }

  override finish(read: Staged): unknown {
    return this.codec.decode(read as Uint8Array)
  }
}

export abstract class ValueCodec {
  /** Runs the user's code, checks the value and gives what `bound` and `write` take. */
  abstract stage(value: unknown): Staged
  /** Upper bound of the encoded bytes, cheap; may be three times too much. */
  abstract bound(staged: Staged): number
  /** Encoded bytes, exactly. */
  abstract size(staged: Staged): number
  /** Writes the staged value. @returns bytes written, or -1 if the value turns out to be invalid */
  abstract write(staged: Staged, to: RawBuffer, at: number, room: number): number
  /** Decodes from memory. Runs no code of the user's. @param copier copies out of that memory, if it is the arena */
  abstract read(from: RawBuffer, at: number, length: number, ascii: boolean, copier: Copier | null): Staged
  /** Finishes decoding outside of any critical region; may run the user's code. */
  abstract finish(read: Staged): unknown
  /** Whether `write` gave ASCII only, given the bytes it wrote. */
  isAscii(_staged: Staged, _written: number): boolean {
    return false
  }
  /** The error for `write` returning -1. */
  refusal(): HeddleError {
    return invalidValue(
      'the value has a lone surrogate, which UTF-8 cannot express; use well-formed strings or binary values',
    )
  }
}

class Utf8Values extends ValueCodec {
  stage(value: unknown): Staged {
    if (typeof value === 'string') return value
    throw invalidValue(`a value of type ${typeName(value)}; this store takes strings as values`)
  }

  bound(staged: Staged): number {
    return (staged as string).length * 3
  }

  size(staged: Staged): number {
    return Buffer.byteLength(staged as string)
  }

  write(staged: Staged, to: RawBuffer, at: number, room: number): number {
    const text = staged as string
    const { length } = text
    if (length <= SHORT_STRING) {
      let i = 0
      for (; i < length; i++) {
        const code = text.charCodeAt(i)
        if (code > 127) break
        to[at + i] = code
      }
      if (i === length) return length
    }
    const written = to.utf8Write(text, at, room)
    return written !== length && !text.isWellFormed() ? -1 : written
  }

  read(from: RawBuffer, at: number, length: number, ascii: boolean): Staged {
    return ascii ? from.latin1Slice(at, at + length) : from.utf8Slice(at, at + length)
  }

  finish(read: Staged): unknown {
    return read
  }

  override isAscii(staged: Staged, written: number): boolean {
    // Every character beyond ASCII takes more bytes than UTF-16 units.
    return (staged as string).length === written
  }
}

/** JSON.stringify; its own complaints (a cycle, a BigInt) become ours, what a toJSON throws comes through. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw invalidValue(`JSON cannot express the value: ${error.message}`)
  }
}

class JsonValues extends Utf8Values {
  override stage(value: unknown): Staged {
    const text = stringify(value)
    if (text !== undefined) return text
    throw invalidValue(`JSON has no form for a value of type ${typeName(value)}; delete the key, or use null`)
  }

  override finish(read: Staged): unknown {
    return JSON.parse(read as string)
  }
}

class BinaryValues extends ValueCodec {
  stage(value: unknown): Staged {
    if (value instanceof Uint8Array) return value
    throw invalidValue(`a value of type ${typeName(value)}; this store takes Uint8Arrays as values`)
  }

  bound(staged: Staged): number {
    return (staged as Uint8Array).length
  }

  size(staged: Staged): number {
    return (staged as Uint8Array).length
  }

  write(staged: Staged, to: RawBuffer, at: number): number {
    const bytes = staged as Uint8Array
    const { length } = bytes
    if (length <= SHORT_STRING) for (let i = 0; i < length; i++) to[at + i] = bytes[i]
    else to.set(bytes, at)
    return length
  }

  read(from: RawBuffer, at: number, length: number, _ascii: boolean, copier: Copier | null): Staged {
    return copier === null ? copyBytes(from, at, length) : copier.copy(at, length)
  }

  finish(read: Staged): unknown {
    return read
  }
}

class NumberValues extends ValueCodec {
  private readonly numbers = new Float64Array(1)
  private readonly bytes = new Uint8Array(this.numbers.buffer)

  stage(value: unknown): Staged {
    if (typeof value !== 'number')
      throw invalidValue(`a value of type ${typeName(value)}; this store takes numbers as values`)
    if (Number.isNaN(value)) throw invalidValue('NaN equals nothing, not even itself; store another number')
    return value === 0 ? 0 : value
  }

  bound(): number {
    return 8
  }

  size(): number {
    return 8
  }

  write(staged: Staged, to: RawBuffer, at: number): number {
    this.numbers[0] = staged as number
    for (let i = 0; i < 8; i++) to[at + i] = this.bytes[i]
    return 8
  }

  read(from: RawBuffer, at: number): Staged {
    for (let i = 0; i < 8; i++) this.bytes[i] = from[at + i]
    return this.numbers[0]
  }

  finish(read: Staged): unknown {
    return read
  }
}

class CustomValues extends BinaryValues {
  private readonly codec: CustomCodec<unknown>

  constructor(codec: CustomCodec<unknown>) {
    super()
    this.codec = codec
  }

  override stage(value: unknown): Staged {
    const bytes = this.codec.encode(value)
    // An encoder may use one buffer again and again, also before this value is written.
    if (bytes instanceof Uint8Array) return bytes.slice()
    throw invalidValue('the value encoder gave no Uint8Array; mend its encode function')
  }

  override finish(read: Staged): unknown {
    return this.codec.decode(read as Uint8Array)
  }
}

function isCustom(option: unknown): option is CustomCodec<unknown> {
  if (typeof option !== 'object' || option === null) return false
  const { encode, decode } = option as Partial<CustomCodec<unknown>>
  return typeof encode === 'function' && typeof decode === 'function'
}

function unknownCodec(which: string, option: unknown, names: string): HeddleError {
  return new HeddleError(
    'HEDDLE_INVALID_OPTION',
    `${which} is ${String(option)}; give one of ${names}, or { encode, decode }`,
  )
}

/** @throws HeddleError HEDDLE_INVALID_OPTION */
export function keyCodec(option: unknown): KeyCodec {
  if (option === undefined || option === 'utf8') return new Utf8Keys()
  if (option === 'binary') return new BinaryKeys()
  if (option === 'number') return new NumberKeys()
  if (isCustom(option)) return new CustomKeys(option)
  throw unknownCodec('keys', option, "'utf8', 'binary', 'number'")
}

/** @throws HeddleError HEDDLE_INVALID_OPTION */
export function valueCodec(option: unknown): ValueCodec {
  if (option === undefined || option === 'utf8') return new Utf8Values()
  if (option === 'binary') return new BinaryValues()
  if (option === 'json') return new JsonValues()
  if (option === 'number') return new NumberValues()
  if (isCustom(option)) return new CustomValues(option)
  throw unknownCodec('values', option, "'utf8', 'binary', 'json', 'number'")
}
