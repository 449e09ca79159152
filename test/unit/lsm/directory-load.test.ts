import { expect, test } from 'vitest'
import { DirectoryReader } from '../../../src/lsm/directory-reader.ts'
import { Loader, type LoadOptions, type LoadReport } from '../../../src/lsm/directory-load.ts'
import { verifyDirectory } from '../../../src/lsm/directory-verify.ts'
import type { Disk } from '../../../src/lsm/disk.ts'
import { FileError } from '../../../src/lsm/file-error.ts'
import { bytesOf } from '../../support/entries.ts'
import { contentsOf, filledDisk, MadeStore, sortedEntries } from '../../support/made-store.ts'
import { forEachCrash } from '../../support/crash-states.ts'
import { random } from '../../support/random.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

type Lines = readonly (readonly [string, string])[]

const SMALL: LoadOptions = { tableBytes: 700, table: { blockBytes: 200 }, memoryBytes: 600 }

function load(disk: Disk, lines: Lines, options: LoadOptions = SMALL): LoadReport {
  const loader = new Loader(disk, options)
  for (const [key, value] of lines) loader.add(bytesOf(key), bytesOf(value))
  return loader.finish()
}

const numbered = (count: number, value = ''): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`k${String(i).padStart(4, '0')}`, `v${i}${value}`])

function scattered(lines: Lines): Lines {
  return lines.map((_, i) => lines[(i * 37 + 11) % lines.length]!)
}

test('sorted lines are written once, in a level that is not due, and are a whole store', () => {
  const disk = new SimulatedDisk()
  const report = load(disk, numbered(200))
  expect(report).toMatchObject({ added: 200, sorted: true, entriesRead: 200, dropped: 0 })
  expect([...contentsOf(disk)]).toEqual(numbered(200))
  expect(verifyDirectory(disk)).toMatchObject({ wrong: [], notes: [] })
  const { levels, manifest, nextFileId } = DirectoryReader.open(disk)!
  expect(levels.map(({ length }) => length > 2)).toEqual([false, true])
  expect(manifest.generation).toBeGreaterThan(0)
  expect(manifest.flushedLsn).toBe(200)
  // Each file but the first manifest and the last one is a table that was written once.
  expect(nextFileId).toBe(levels[1]!.length + 3)
  expect(disk.openFiles).toBe(0)
})

test('lines in any order are sorted through runs, and the last one of a key counts', () => {
  const disk = new SimulatedDisk()
  const lines = [...scattered(numbered(200)), ...scattered(numbered(90, ' again'))]
  const report = load(disk, lines)
  expect(report).toMatchObject({ added: 290, sorted: false, dropped: expect.any(Number) })
  expect([...contentsOf(disk)]).toEqual(sortedEntries(new Map(lines)))
  expect(verifyDirectory(disk)).toMatchObject({ wrong: [], notes: [] })
  expect(disk.openFiles).toBe(0)
})

test('lines that are in order for a while', () => {
  const disk = new SimulatedDisk()
  const lines: Lines = [...numbered(100), ['k0050', 'later'], ['a', 'first'], ['k0099', 'last']]
  expect(load(disk, lines).sorted).toBe(false)
  expect([...contentsOf(disk)]).toEqual(sortedEntries(new Map(lines)))
})

test('a key that comes twice in a row, among lines that are in order', () => {
  const disk = new SimulatedDisk()
  const lines: Lines = [...numbered(3), ['k0002', 'newer'], ['k0003', 'next']]
  expect(load(disk, lines)).toMatchObject({ added: 5, sorted: false, dropped: 1 })
  expect([...contentsOf(disk)]).toEqual(sortedEntries(new Map(lines)))
})

test('nothing at all is an empty store, which can be loaded into', () => {
  const disk = new SimulatedDisk()
  expect(load(disk, []).added).toBe(0)
  expect(contentsOf(disk).size).toBe(0)
  const { generation } = DirectoryReader.open(disk)!.manifest
  load(disk, numbered(3))
  expect([...contentsOf(disk)]).toEqual(numbered(3))
  expect(DirectoryReader.open(disk)!.manifest.generation).toBe(generation)
})

test('settings of a new store', () => {
  const disk = new SimulatedDisk()
  load(disk, numbered(1), { settings: Uint8Array.of(1, 2) })
  expect(DirectoryReader.open(disk)!.manifest.settings).toEqual(Uint8Array.of(1, 2))
})

test('a store that holds something is refused and not changed, whether in tables or only in a log', () => {
  const { disk } = filledDisk()
  const before = disk.files()
  expect(() => load(disk, numbered(3))).toThrow('holds something')
  expect(disk.files()).toEqual(before)
  const other = new SimulatedDisk()
  const store = new MadeStore(other)
  store.set('a', '1')
  store.close()
  expect(() => load(other, numbered(3))).toThrow('holds something')
})

test.each([true, false])('into a store that holds something: what is not replaced stays (sorted %s)', (sorted) => {
  const { disk, store } = filledDisk()
  const lines: Lines = [
    ['key004', 'deleted before'],
    ['key009', 'in a log before'],
    ['key030', 'in tables before'],
    ['new', 'x'],
  ]
  load(disk, sorted ? lines : [...lines].reverse(), { ...SMALL, into: true })
  for (const [key, value] of lines) store.model.set(key, value)
  expect([...contentsOf(disk)]).toEqual(sortedEntries(store.model))
  expect(verifyDirectory(disk)).toMatchObject({ wrong: [], notes: [] })
  expect(DirectoryReader.open(disk)!.manifest.flushedLsn).toBe(store.lsn + 4)
})

test('what is given up leaves nothing', () => {
  const { disk, store } = filledDisk()
  const loader = new Loader(disk, { ...SMALL, into: true })
  for (const [key, value] of scattered(numbered(200))) loader.add(bytesOf(key), bytesOf(value))
  loader.abandon()
  expect([...contentsOf(disk)]).toEqual(sortedEntries(store.model))
  expect(verifyDirectory(disk)).toMatchObject({ wrong: [], notes: [] })
  expect(disk.openFiles).toBe(0)
})

test.each([
  ['sorted', numbered(30), undefined],
  ['not sorted', scattered(numbered(30)), undefined],
  ['into a store', scattered(numbered(20)), true],
] as const)(
  'a crash at any moment leaves all or nothing of it: %s',
  (_, lines, into) => {
    const disk = into === true ? SimulatedDisk.with(filledDisk(8).disk.files()) : new SimulatedDisk()
    const before = into === true ? sortedEntries(contentsOf(disk)) : []
    const initial = disk.initial()
    const from = disk.journal.length
    load(disk, lines, into === true ? { ...SMALL, into } : SMALL)
    const after = sortedEntries(contentsOf(disk))
    let [old, young, none] = [0, 0, 0]
    forEachCrash(
      disk.journal.slice(from),
      random(3),
      4,
      (files) => {
        const left = SimulatedDisk.with(files)
        // Before the first manifest there is no store, and nothing that would keep one from being made.
        if (DirectoryReader.open(left) === undefined) {
          none++
          load(left, lines)
        }
        const found = [...contentsOf(left)]
        const isYoung = found.length === after.length && after.length > before.length
        expect(found).toEqual(isYoung ? after : before)
        if (isYoung) young++
        else {
          old++
          load(left, lines, { ...SMALL, into: into === true })
          expect([...contentsOf(left)]).toEqual(after)
        }
      },
      initial,
    )
    expect(young).toBeGreaterThan(2)
    expect(old).toBeGreaterThan(20)
    expect(none > 0).toBe(into !== true)
  },
  120_000,
)

test('no room: an error, and the store as it was', () => {
  for (const lines of [numbered(100), scattered(numbered(100))]) {
    const disk = new SimulatedDisk()
    disk.capacity = 1400
    expect(() => {
      const loader = new Loader(disk, SMALL)
      try {
        for (const [key, value] of lines) loader.add(bytesOf(key), bytesOf(value))
        loader.finish()
      } finally {
        loader.abandon()
      }
    }).toThrow(FileError)
    expect(contentsOf(disk).size).toBe(0)
    expect(disk.openFiles).toBe(0)
    disk.capacity = Infinity
    load(disk, lines)
    expect([...contentsOf(disk)]).toEqual(numbered(100))
  }
})
