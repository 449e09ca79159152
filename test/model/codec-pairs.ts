import fc from 'fast-check'
import type { OpenOptions } from '../../src/index.ts'

/** One side of a codec pair as the model sees it, written without a look at the codecs of the store. */
export interface KeyKind<K> {
  readonly option: NonNullable<OpenOptions['keys']>
  readonly arbitrary: fc.Arbitrary<K>
  /** A different key for each number, in the order of the numbers or against it, for filling and emptying. */
  readonly numbered: (number: number) => K
  /** What get back for a key that was put in: itself, but for -0. */
  readonly canonical: (key: K) => K
  readonly compare: (a: K, b: K) => number
  /** Undefined if prefixes mean nothing for these keys. */
  readonly startsWith: ((key: K, prefix: K) => boolean) | undefined
}

export interface ValueKind<V> {
  readonly option: NonNullable<OpenOptions['values']>
  readonly arbitrary: fc.Arbitrary<V>
  /** Values of which a small arena holds many. */
  readonly small: fc.Arbitrary<V>
  readonly canonical: (value: V) => V
  /** Text that is equal for two values just if their encoded bytes are. */
  readonly identity: (value: V) => string
  /** The encoded bytes, where what they are is laid down. */
  readonly bytes: ((value: V) => Uint8Array) | undefined
}

export interface Pair<K, V> {
  readonly name: string
  readonly keys: KeyKind<K>
  readonly values: ValueKind<V>
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
const same = <T>(value: T): T => value

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

function compareCodePoints(a: string, b: string): number {
  let i = 0
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++
  return i < a.length && i < b.length ? a.codePointAt(i)! - b.codePointAt(i)! : a.length - b.length
}

function bytesStartWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.length <= bytes.length && prefix.every((byte, i) => bytes[i] === byte)
}

// Characters whose order as code points is not that of UTF-16 (U+FFFF comes before U+10000), and the ends of each length in UTF-8.
const characters = [
  '\0',
  '\u0001',
  'a',
  'b',
  '\x7f',
  '\x80',
  '\u07ff',
  '\u0800',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '𐀀',
  '\u{10ffff}',
]
const long = ['p'.repeat(200), 'p'.repeat(200) + '\0', 'p'.repeat(200) + 'q', 'p'.repeat(1023), 'p'.repeat(1024)]
const collidingText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', ...characters, 'a\0', 'a\0a', 'aa', 'ab', 'a\uffff', 'a𐀀', ...long) },
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...characters), { maxLength: 5 }).map((parts) => parts.join('')) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom('p', 'p'.repeat(170)), { maxLength: 6 }).map((parts) => parts.join('')),
  },
)

const textKeys: KeyKind<string> = {
  option: 'utf8',
  arbitrary: collidingText,
  numbered: (number) => `a${'\0'.repeat(number % 3)}${String(number).padStart(3, '0')}`,
  canonical: same,
  compare: compareCodePoints,
  startsWith: (key, prefix) => key.startsWith(prefix),
}

const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

const binaryKeys: KeyKind<Uint8Array> = {
  option: 'binary',
  arbitrary: fc.oneof(
    fc.array(fc.constantFrom(0x00, 0x01, 0x61, 0xfe, 0xff), { maxLength: 5 }).map((bytes) => bytesOf(...bytes)),
    fc.constantFrom(filled(1024, 0xff), filled(1024, 0), filled(1023, 0xff), filled(300, 0xff), filled(299, 0xff)),
  ),
  numbered: (number) => bytesOf(0xff, number >> 4, 0xff, number & 15),
  canonical: same,
  compare: compareBytes,
  startsWith: bytesStartWith,
}

const numbers = [0, -0, 1, -1, 0.5, -0.5, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, Infinity, -Infinity]

const numberKeys: KeyKind<number> = {
  option: 'number',
  arbitrary: fc.oneof(
    fc.constantFrom(...numbers, 2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 53), Number.EPSILON),
    fc.integer({ min: -20, max: 20 }),
    fc.double({ noNaN: true }),
  ),
  numbered: (number) => (number % 2 === 0 ? number : -number) / 4,
  canonical: (key) => key + 0,
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  startsWith: undefined,
}

const complement = (key: string): Uint8Array => utf8(key).map((byte) => 0xff - byte)

const customKeys: KeyKind<string> = {
  option: { encode: complement, decode: (bytes: Uint8Array) => text(bytes.map((byte) => 0xff - byte)) },
  arbitrary: collidingText,
  numbered: textKeys.numbered,
  canonical: same,
  compare: (a, b) => compareBytes(complement(a), complement(b)),
  startsWith: (key, prefix) => bytesStartWith(complement(key), complement(prefix)),
}

const lengths = [0, 1, 3, 4, 31, 32, 63, 64, 65, 300, 2000, 9000]
const someLength = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...lengths) },
  { weight: 1, arbitrary: fc.constantFrom(16_384, 40_001) },
)

const smallLength = fc.constantFrom(0, 1, 31, 64, 300)

const textValues: ValueKind<string> = {
  option: 'utf8',
  arbitrary: fc.oneof(
    { withCrossShrink: true },
    fc.constantFrom('', 'a', 'b', '\0', 'é€𝄞', '\ufeffmarked'),
    fc.tuple(fc.constantFrom('x', 'ÿ', '€', '𝄞'), someLength).map(([character, length]) => character.repeat(length)),
  ),
  small: smallLength.map((length) => 'v'.repeat(length)),
  canonical: same,
  identity: same,
  bytes: utf8,
}

const binaryValues: ValueKind<Uint8Array> = {
  option: 'binary',
  arbitrary: fc.tuple(fc.constantFrom(0x00, 0x61, 0xff), someLength).map(([byte, length]) => filled(length, byte)),
  small: smallLength.map((length) => filled(length, 0x76)),
  canonical: same,
  identity: (value) => Buffer.from(value).toString('hex'),
  bytes: same,
}

const numberValues: ValueKind<number> = {
  option: 'number',
  arbitrary: fc.oneof(fc.constantFrom(...numbers), fc.double({ noNaN: true })).map((value) => value + 0),
  small: fc.integer(),
  canonical: same,
  identity: String,
  bytes: undefined,
}

const jsonValues: ValueKind<unknown> = {
  option: 'json',
  arbitrary: fc.oneof(
    { withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, '', [], {}, { a: 1, b: 2 }, { b: 2, a: 1 }, 'é€𝄞', '\ud800'),
    fc.jsonValue({ maxDepth: 2 }),
    someLength.map((length) => ['long', 'x'.repeat(length)]),
  ),
  small: fc.constantFrom<unknown>(0, { a: [1] }, 'x'.repeat(70)),
  canonical: (value) => JSON.parse(JSON.stringify(value)) as unknown,
  identity: (value) => JSON.stringify(value),
  bytes: undefined,
}

const customValues: ValueKind<bigint> = {
  option: { encode: (value: bigint) => utf8(value.toString(16)), decode: (bytes: Uint8Array) => fromHex(text(bytes)) },
  arbitrary: fc.oneof(fc.bigInt({ min: -300n, max: 300n }), fc.constantFrom(2n ** 64n, -(2n ** 200n), 3n ** 5000n)),
  small: fc.constantFrom(0n, -(2n ** 80n)),
  canonical: same,
  identity: String,
  bytes: (value) => utf8(value.toString(16)),
}

function fromHex(digits: string): bigint {
  return digits.startsWith('-') ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`)
}

/** A pair of codecs for a body that works with any of them. */
export type AnyPair = <R>(body: <K, V>(pair: Pair<K, V>) => R) => R

function pair<K, V>(name: string, keys: KeyKind<K>, values: ValueKind<V>): [string, AnyPair] {
  return [name, (body) => body({ name, keys, values })]
}

export const textPair: Pair<string, string> = { name: 'utf8 to utf8', keys: textKeys, values: textValues }

export const pairs: readonly [string, AnyPair][] = [
  pair('utf8 to utf8', textKeys, textValues),
  pair('binary to binary', binaryKeys, binaryValues),
  pair('number to json', numberKeys, jsonValues),
  pair('utf8 to number', textKeys, numberValues),
  pair('binary to json', binaryKeys, jsonValues),
  pair('number to utf8', numberKeys, textValues),
  pair('custom to custom', customKeys, customValues),
]
