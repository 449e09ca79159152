import { describe, expect, it } from 'vitest'
import { KIND_EXTENT, KIND_EXTENT_RECORD, isDead, keyBytesOf, kindOf, padOf, wordsOf } from '../../../src/log/block.ts'
import { HeddleError } from '../../../src/memory/error.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { EXTENT_KEY, extentListAt, recordHeader } from '../../../src/tree/record.ts'
import { maxValueBytes } from '../../../src/tree/record-writer.ts'
import { sameBytes } from '../../support/plain.ts'
import { checkPattern, patterned } from '../../support/patterns.ts'
import { MIB } from '../../support/stores.ts'
import { entries, faults, firstEngine, put, remove, setKey, wrongCounts } from './engines.ts'
import { cleanAll } from './works.ts'

/** The extents of a key's value, and the value put together from them. */
function read(engine: Engine, key: string): { extents: number[]; value: Uint8Array } {
  const { words, bytes } = engine.arena
  setKey(engine, key)
  engine.scheme.enter()
  const record = engine.tree.find()
  const header = recordHeader(words, record)
  expect(kindOf(header)).toBe(KIND_EXTENT_RECORD)
  const list = extentListAt(record, header)
  const extents = [...words.subarray(list + 2, list + 2 + words[list + 1]!)]
  const value = Buffer.concat(
    extents.map((extent) => {
      const found = words[extent]!
      expect(kindOf(found) === KIND_EXTENT && keyBytesOf(found) === key.length && !isDead(found)).toBe(true)
      const from = (extent + EXTENT_KEY + ((key.length + 3) >>> 2)) * 4
      const keyAt = (extent + EXTENT_KEY) * 4
      expect(sameBytes(bytes.slice(keyAt, keyAt + key.length), new TextEncoder().encode(key))).toBe(true)
      return bytes.slice(from, (extent + wordsOf(found)) * 4 - padOf(found))
    }),
  )
  expect(value.length).toBe(words[list])
  engine.scheme.leave()
  return { extents, value }
}

const sizes = [5000, 8000, 8191, 8192, 8193, 20_000, 70_001, 300_002]

describe('a value that does not fit beside its key', () => {
  it.each(sizes)('of %i bytes lies in pieces, each with its key, and nothing is lost between them', (size) => {
    const engine = firstEngine({}, 2 * MIB)
    const value = patterned(size, size)
    put(engine, 'a key', value)
    const { extents, value: found } = read(engine, 'a key')
    expect(sameBytes(found, value)).toBe(true)
    const { segments } = engine.log
    const largest = engine.arena.layout.segmentWords / 2
    for (const extent of extents) {
      expect(wordsOf(engine.arena.words[extent]!)).toBeLessThanOrEqual(largest)
      expect(segments.segmentOf(extent + wordsOf(engine.arena.words[extent]!) - 1)).toBe(segments.segmentOf(extent))
    }
    expect(faults(engine)).toEqual([])
  })

  it('is gone with all its pieces when it is overwritten or removed', () => {
    const engine = firstEngine()
    for (let round = 0; round < 10; round++) {
      for (const key of ['a', 'b']) put(engine, key, patterned(round, 60_000))
      const { extents } = read(engine, 'a')
      put(engine, 'a', 'short')
      expect(remove(engine, 'b')).toBe(true)
      expect(extents.every((extent) => isDead(engine.arena.words[extent]!))).toBe(true)
      expect(faults(engine)).toEqual([])
    }
    expect(entries(engine)).toEqual([['a', 'short']])
  })

  it('that is not linked is gone with all its pieces', () => {
    const engine = firstEngine()
    put(engine, 'a', 'there')
    const free = (): number => engine.log.segments.countFree(1000)
    engine.drain()
    const before = free()
    for (let i = 0; i < 5; i++) expect(put(engine, 'a', patterned(i, 60_000), -1)).toBe(false)
    expect(faults(engine)).toEqual([])
    expect(free()).toBeGreaterThanOrEqual(before - 1)
    expect(entries(engine)).toEqual([['a', 'there']])
  })

  it('that finds no room leaves nothing, and what was there stays', () => {
    const engine = firstEngine()
    put(engine, 'a', patterned(1, 60_000))
    for (const key of ['a', 'b']) {
      let thrown: unknown
      try {
        put(engine, key, patterned(2, 900_000))
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(HeddleError)
      expect(thrown).toMatchObject({ code: 'HEDDLE_FULL' })
      expect(faults(engine)).toEqual([])
    }
    expect(() => checkPattern(read(engine, 'a').value)).not.toThrow()
    expect(entries(engine)).toHaveLength(1)
  })
})

describe('a value in pieces that the cleaner moves', () => {
  it('stays whole, its record lists the new places, and the old ones are free', () => {
    const engine = firstEngine()
    for (const key of ['a', 'b', 'c']) put(engine, key, patterned(key.charCodeAt(0), 30_000))
    remove(engine, 'b')
    const before = ['a', 'c'].flatMap((key) => read(engine, key).extents)
    engine.log.sealAll()
    cleanAll(engine)
    const after = ['a', 'c'].flatMap((key) => read(engine, key).extents)
    expect(after).toHaveLength(before.length)
    expect(after.filter((extent) => before.includes(extent))).toEqual([])
    for (const key of ['a', 'c']) {
      const { value } = read(engine, key)
      expect(sameBytes(value, patterned(key.charCodeAt(0), 30_000))).toBe(true)
    }
    expect(faults(engine)).toEqual([])
  })
})

describe('the largest value', () => {
  it('fits by its list: even pieces of the least size make no list longer than a segment', () => {
    for (const segmentWords of [4096, 8192, 65536, 1 << 20]) {
      const most = maxValueBytes(segmentWords)
      expect(most).toBeGreaterThan(segmentWords)
      expect(most).toBeLessThanOrEqual(2 ** 28)
    }
    expect(maxValueBytes(8192)).toBeGreaterThan(maxValueBytes(4096))
  })

  it('can be written and read', () => {
    const engine = firstEngine({ pageIds: 64 }, 16 * MIB)
    const size = Math.min(maxValueBytes(4096), 8 * MIB)
    const value = patterned(1, size)
    put(engine, 'x'.repeat(1000), value)
    expect(sameBytes(read(engine, 'x'.repeat(1000)).value, value)).toBe(true)
    remove(engine, 'x'.repeat(1000))
    expect(faults(engine)).toEqual([])
  })
})

describe('an exception out of nowhere, as want of stack is, while a record is written', () => {
  /** Throws at a completion of a block, before or after it. */
  function unwindAt(engine: Engine, nth: number, after: boolean, body: () => void): void {
    const { log } = engine
    const complete = log.complete.bind(log)
    let count = 0
    log.complete = (address, header) => {
      count++
      if (count === nth && !after) throw new RangeError('unwound')
      complete(address, header)
      if (count === nth) throw new RangeError('unwound')
    }
    try {
      expect(body).toThrow('unwound')
    } finally {
      log.complete = complete
    }
  }

  it.each([1, 2, 3, 4].flatMap((nth) => [[nth, false] as const, [nth, true] as const]))(
    'leaves no hole that nobody gets past who walks there: block %i of a value in pieces, completed %s',
    (nth, after) => {
      const engine = firstEngine()
      put(engine, 'a', patterned(1, 60_000))
      unwindAt(engine, nth, after, () => put(engine, 'b', patterned(2, 60_000)))
      // In the middle of a segment, behind which others come.
      for (const key of ['c', 'd']) put(engine, key, patterned(3, 9000))
      expect(entries(engine).map(([key]) => key)).toEqual(['a', 'c', 'd'])
      expect(remove(engine, 'c')).toBe(true)
      engine.log.sealAll()
      expect(wrongCounts(engine)).toEqual([])
      engine.drain()
      cleanAll(engine)
      expect(faults(engine)).toEqual([])
      expect(sameBytes(read(engine, 'a').value, patterned(1, 60_000))).toBe(true)
    },
  )

  it.each([false, true])('nor does a tombstone, completed %s, that comes before another one', (after) => {
    const engine = firstEngine()
    const { tree, log } = engine
    for (let i = 0; i < 3; i++) {
      setKey(engine, `key ${i}`)
      unwindAt(engine, 1, after, () => tree.writer.writeTombstone(tree.key))
      tree.writer.writeTombstone(tree.key)
    }
    tree.writer.abandon()
    put(engine, 'a', 'b')
    log.sealAll()
    expect(wrongCounts(engine)).toEqual([])
    engine.drain()
    expect(faults(engine)).toEqual([])
  })
})
