/** Which accesses race: by overlap of their bytes, by order, and by being atomic with the same range. */
import { expect, test } from 'vitest'
import { explore } from '../../../src/explore/index.ts'

type Thread = (memory: SharedArrayBuffer) => unknown

function failureOf(...threads: Thread[]): { kind: string; message: string } | undefined {
  const { error } = explore({ memory: { bytes: 64 }, threads })
  return error && { kind: error.kind, message: error.message }
}

const race = (...threads: Thread[]): boolean => failureOf(...threads)?.kind === 'data-race'

/** A thread must take a step, so that something is explored. */
function step(memory: SharedArrayBuffer): void {
  Atomics.add(new Int32Array(memory), 15, 1)
}

const bytes =
  (at: number, value?: number): Thread =>
  (memory) => {
    const view = new Uint8Array(memory)
    step(memory)
    if (value === undefined) return view[at]
    view[at] = value
    return undefined
  }

test('a plain write against a plain read, with both places', () => {
  const found = failureOf(bytes(3, 1), bytes(3))
  expect(found?.kind).toBe('data-race')
  expect(found?.message.match(/racing\.test\.ts:\d+/g)).toHaveLength(2)
})

test('neighbouring bytes of one word do not race', () => {
  expect(failureOf(bytes(3, 1), bytes(2, 1))).toBeUndefined()
})

test('two plain reads do not race', () => {
  expect(failureOf(bytes(3), bytes(3))).toBeUndefined()
})

test('a word against one of its bytes', () => {
  const word: Thread = (memory) => {
    const view = new Int32Array(memory)
    step(memory)
    view[0] = 5
  }
  expect(race(word, bytes(2))).toBe(true)
  expect(race(bytes(2), word)).toBe(true)
  expect(race(word, bytes(4))).toBe(false)
})

test('atomic accesses of different widths', () => {
  const wide: Thread = (memory) => Atomics.store(new Int32Array(memory), 0, 1)
  const narrow: Thread = (memory) => Atomics.load(new Uint8Array(memory), 1)
  const double: Thread = (memory) => Atomics.store(new BigInt64Array(memory), 0, 1n)
  expect(race(wide, narrow)).toBe(true)
  expect(race(narrow, wide)).toBe(true)
  expect(race(double, wide)).toBe(true)
  expect(race(wide, wide)).toBe(false)
  expect(race(narrow, narrow)).toBe(false)
})

test('a read-modify-write hands on what a store of another thread had released; a store does not', () => {
  const writer: Thread = (memory) => {
    const words = new Int32Array(memory)
    words[0] = 1
    Atomics.store(words, 1, 1)
  }
  const adder: Thread = (memory) => {
    const words = new Int32Array(memory)
    if (Atomics.load(words, 1) === 1) Atomics.add(words, 1, 1)
  }
  const reader: Thread = (memory) => {
    const words = new Int32Array(memory)
    if (Atomics.load(words, 1) === 2) return words[0]
    return undefined
  }
  expect(failureOf(writer, adder, reader)).toBeUndefined()
  const blind: Thread = (memory) => {
    Atomics.store(new Int32Array(memory), 1, 2)
  }
  expect(race(writer, blind, reader)).toBe(true)
})

const BULK: Record<string, Thread> = {
  set: (memory) => new Uint8Array(memory).set([1, 2, 3], 8),
  fill: (memory) => new Uint8Array(memory).fill(1, 8, 12),
  copyWithin: (memory) => new Uint8Array(memory).copyWithin(8, 20, 24),
  DataView: (memory) => new DataView(memory).setFloat64(8, 1.5),
  'Buffer write': (memory) => Buffer.from(memory).write('abc', 8, 'latin1'),
  'Buffer writeInt32LE': (memory) => Buffer.from(memory).writeInt32LE(1, 8),
  encodeInto: (memory) => new TextEncoder().encodeInto('abc', new Uint8Array(memory, 8, 4)),
}

const READS: Record<string, Thread> = {
  slice: (memory) => new Uint8Array(memory).slice(8, 12),
  spread: (memory) => [...new Uint8Array(memory, 8, 4)],
  'set from': (memory) => new Uint8Array(4).set(new Uint8Array(memory, 8, 4)),
  indexOf: (memory) => new Uint8Array(memory, 8, 4).indexOf(3),
  'DataView get': (memory) => new DataView(memory).getInt16(8),
  'Buffer toString': (memory) => Buffer.from(memory, 8, 4).toString('latin1'),
  'Buffer compare': (memory) => Buffer.from(memory, 8, 4).equals(Buffer.alloc(4)),
}

test.each(Object.keys(BULK))('%s writes its bytes, and no others', (name) => {
  const writes: Thread = (memory) => {
    step(memory)
    BULK[name]!(memory)
  }
  expect(race(writes, bytes(9))).toBe(true)
  expect(race(writes, bytes(5))).toBe(false)
})

test.each(Object.keys(READS))('%s reads its bytes', (name) => {
  const reads: Thread = (memory) => {
    step(memory)
    READS[name]!(memory)
  }
  expect(race(reads, bytes(8, 1))).toBe(true)
  expect(race(reads, bytes(4, 1))).toBe(false)
})

test('races can be ignored', () => {
  const { error } = explore({ memory: { bytes: 64 }, threads: [bytes(3, 1), bytes(3)], races: 'ignore' })
  expect(error).toBeUndefined()
})
