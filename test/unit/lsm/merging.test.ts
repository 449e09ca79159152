import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KIND_DELETE, KIND_PUT, NEWEST, type EntrySource } from '../../../src/lsm/entry.ts'
import { LevelSource } from '../../../src/lsm/level-source.ts'
import { MergingSource } from '../../../src/lsm/merging-source.ts'
import { TableIterator } from '../../../src/lsm/table-iterator.ts'
import { VisibleSource } from '../../../src/lsm/visible-source.ts'
import {
  backwards,
  bytesOf,
  compare,
  type Entry,
  entryAt,
  firstFrom,
  forwards,
  openTable,
  writeTable,
} from '../../support/entries.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'

/** Entries in an array: what a memtable looks like to the merge. */
class ArraySource implements EntrySource {
  private readonly entries: readonly Entry[]
  private at = -1

  constructor(entries: readonly Entry[]) {
    this.entries = entries
  }

  get valid(): boolean {
    return this.at >= 0 && this.at < this.entries.length
  }

  private get entry(): Entry {
    return this.entries[this.at]!
  }

  get key(): Uint8Array {
    return bytesOf(this.entry.key)
  }

  get keyLength(): number {
    return this.entry.key.length
  }

  get kind(): number {
    return this.entry.value === undefined ? KIND_DELETE : KIND_PUT
  }

  get sequence(): number {
    return this.entry.sequence
  }

  get value(): Uint8Array {
    return bytesOf(`.${this.entry.value ?? ''}.`)
  }

  readonly valueStart = 1

  get valueEnd(): number {
    return 1 + (this.entry.value ?? '').length
  }

  seekFirst(): void {
    this.at = 0
  }

  seekLast(): void {
    this.at = this.entries.length - 1
  }

  seek(key: Uint8Array, start: number, end: number, sequence: number): void {
    const place = { key: Buffer.from(key.subarray(start, end)).toString('latin1'), sequence, value: undefined }
    this.at = this.entries.findIndex((entry) => compare(entry, place) >= 0)
  }

  next(): void {
    this.at++
  }

  previous(): void {
    this.at--
  }
}

const key = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '\u00ff') })
const list = fc.uniqueArray(
  fc.record({
    key,
    sequence: fc.nat(30),
    value: fc.option(fc.string({ maxLength: 5, unit: fc.constantFrom('x', 'y') }), { nil: undefined }),
    home: fc.nat(4),
  }),
  { maxLength: 40, selector: ({ key, sequence }) => `${key} ${sequence}` },
)
type Homed = Entry & { readonly home: number }
const how = { numRuns: Number(process.env['FC_RUNS'] ?? 300), seed: Number(process.env['FC_SEED'] ?? 20240) }

function strip(entries: readonly Homed[]): Entry[] {
  return entries.map(({ key, sequence, value }) => ({ key, sequence, value })).sort(compare)
}

/** Two arrays, a table, and a level of two tables that share no key. */
function merged(entries: readonly Homed[]): MergingSource {
  const disk = new MemoryDisk()
  const at = (home: number): Entry[] => strip(entries.filter((entry) => entry.home === home))
  const sources: EntrySource[] = [new ArraySource(at(0)), new ArraySource(at(1))]
  if (at(2).length > 0) {
    writeTable(disk, 2, at(2), { blockBytes: 40, restartInterval: 2 })
    sources.push(new TableIterator(openTable(disk, 2)))
  }
  const level = strip(entries.filter(({ home }) => home > 2))
  const cut = level.findIndex((entry, i) => i > 0 && 2 * i >= level.length && entry.key !== level[i - 1]!.key)
  const parts = cut < 0 ? [level] : [level.slice(0, cut), level.slice(cut)]
  const tables = parts.filter((part) => part.length > 0).map((part, i) => writeTable(disk, 10 + i, part))
  sources.push(new LevelSource(tables, ({ id }) => openTable(disk, id)))
  return new MergingSource(sources)
}

test('several sources are one, in both directions, from any place', () => {
  const steps = fc.array(fc.oneof(fc.constant('next'), fc.constant('previous'), fc.tuple(key, fc.nat(31))), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(list, steps, (entries, moves) => {
      const source = merged(entries)
      const right = strip(entries)
      expect(forwards(source)).toEqual(right)
      expect(backwards(source)).toEqual(right)
      let at = -1
      for (const move of moves) {
        if (Array.isArray(move)) {
          const bytes = bytesOf(move[0])
          source.seek(bytes, 0, bytes.length, move[1])
          const first = firstFrom(right, move[0], move[1])
          at = first === undefined ? -1 : right.indexOf(first)
        } else if (!source.valid) continue
        else if (move === 'next') source.next()
        else source.previous()
        if (move === 'next') at++
        if (move === 'previous') at--
        expect(entryAt(source)).toEqual(right[at])
        if (right[at] === undefined) at = -1
      }
    }),
    how,
  )
})

test('equal entries come in the order of their sources, in both directions', () => {
  const from = (value: string): ArraySource => new ArraySource([{ key: 'k', sequence: 1, value }])
  const source = new MergingSource([from('new'), from('old'), from('older')])
  expect(forwards(source).map(({ value }) => value)).toEqual(['new', 'old', 'older'])
  expect(backwards(source).map(({ value }) => value)).toEqual(['new', 'old', 'older'])
  source.seekFirst()
  source.next()
  source.previous()
  expect(entryAt(source)!.value).toBe('new')
  source.next()
  source.next()
  source.previous()
  expect(entryAt(source)!.value).toBe('old')
  source.seekLast()
  source.previous()
  source.next()
  expect(entryAt(source)!.value).toBe('older')
})

function visible(entries: readonly Entry[], bound: number): Entry[] {
  const newest = new Map<string, Entry>()
  for (const entry of entries) if (entry.sequence <= bound && !newest.has(entry.key)) newest.set(entry.key, entry)
  return [...newest.values()].filter(({ value }) => value !== undefined)
}

function seen(source: VisibleSource): Entry | undefined {
  if (!source.valid) return undefined
  const text = (bytes: Uint8Array, start: number, end: number): string =>
    Buffer.from(bytes.subarray(start, end)).toString('latin1')
  return {
    key: text(source.key, 0, source.keyLength),
    sequence: source.sequence,
    value: text(source.value, source.valueStart, source.valueEnd),
  }
}

test('a reader sees the newest version within its bound of each key, forwards, backwards and turning', () => {
  const moves = fc.array(fc.oneof(fc.constant('next'), fc.constant('previous'), key), { maxLength: 30 })
  fc.assert(
    fc.property(
      list,
      fc.oneof(fc.nat(31), fc.constant(NEWEST)),
      moves,
      fc.boolean(),
      (entries, bound, steps, inclusive) => {
        const right = visible(strip(entries), bound)
        const source = new VisibleSource(merged(entries), bound)
        let at = -1
        source.seekFirst()
        for (const entry of right) {
          expect(seen(source)).toEqual(entry)
          source.next()
        }
        expect(source.valid).toBe(false)
        source.seekLast()
        for (const entry of right.toReversed()) {
          expect(seen(source)).toEqual(entry)
          source.previous()
        }
        expect(source.valid).toBe(false)
        for (const step of steps) {
          if (step === 'next' && source.valid) {
            source.next()
            at++
          } else if (step === 'previous' && source.valid) {
            source.previous()
            at--
          } else if (step !== 'next' && step !== 'previous') {
            const bytes = bytesOf(step)
            if (step.length % 2 === 0) {
              source.seek(bytes, 0, bytes.length)
              at = right.findIndex((entry) => entry.key >= step)
            } else {
              source.seekBack(bytes, 0, bytes.length, inclusive)
              at = right.findLastIndex((entry) => (inclusive ? entry.key <= step : entry.key < step))
            }
          }
          expect(seen(source)).toEqual(right[at])
          if (right[at] === undefined) at = -1
        }
      },
    ),
    how,
  )
})
