import { expect, test } from 'vitest'
import type { Disk } from '../../../src/lsm/disk.ts'
import { DirectoryReader } from '../../../src/lsm/directory-reader.ts'
import { statDirectory } from '../../../src/lsm/directory-stat.ts'
import { KIND_DELETE, KIND_PUT } from '../../../src/lsm/entry.ts'
import { FileError } from '../../../src/lsm/file-error.ts'
import { MemoryRun } from '../../../src/lsm/memory-run.ts'
import { ReadOnlyDisk } from '../../../src/lsm/read-only-disk.ts'
import { RunSorter } from '../../../src/lsm/run-sorter.ts'
import { backwards, bytesOf, compare, entryAt, type Entry, forwards, randomEntries } from '../../support/entries.ts'
import { contentsOf, filledDisk, MadeStore, sortedEntries } from '../../support/made-store.ts'
import { type Random, random } from '../../support/random.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

const TYPE_UNKNOWN = 19

test('all entries of tables and logs, newest versions, in order', () => {
  const { disk, store } = filledDisk()
  expect([...contentsOf(disk)]).toEqual(sortedEntries(store.model))
  expect(store.model.size).toBeGreaterThan(30)
  expect(disk.openFiles).toBe(0)
})

test('changes of logs that do not fit into memory go through runs', () => {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  for (let i = 0; i < 600; i++) store.set(`k${(i * 7) % 250}`, `v${i}`)
  for (let i = 0; i < 250; i += 9) store.delete(`k${i}`)
  store.close()
  expect([...contentsOf(disk, 1000)]).toEqual(sortedEntries(store.model))
})

test('a store that was killed, and one that is empty', () => {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  expect(contentsOf(disk).size).toBe(0)
  store.set('a', '1')
  expect([...contentsOf(disk)]).toEqual([['a', '1']])
})

test('no store is told from a store', () => {
  expect(DirectoryReader.open(new SimulatedDisk())).toBeUndefined()
})

test('a read-only disk is not changed, whoever asks', () => {
  const { disk } = filledDisk()
  const before = disk.files()
  const changes = disk.journal.length
  const reading: Disk = new ReadOnlyDisk(disk)
  contentsOf(reading)
  expect(disk.journal).toHaveLength(changes)
  expect(disk.files()).toEqual(before)
  const name = [...before.keys()][0]!
  const file = reading.open(name, 'write')
  const bytes = new Uint8Array(8)
  for (const attempt of [
    () => reading.create('000999.temp'),
    () => reading.rename(name, '000998.temp'),
    () => reading.remove(name),
    () => file.write(bytes, 0, 8, 0),
    () => file.append(bytes, 0, 8),
    () => file.truncate(1),
    () => file.preallocate(9999),
  ]) {
    expect(attempt).toThrow(FileError)
  }
  expect(disk.files()).toEqual(before)
})

test('a record that is no change is named with file and offset', () => {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  store.set('a', '1')
  const { size } = store.log!
  store.log!.addSlot(new Uint8Array(32), 0, TYPE_UNKNOWN, 1, 3)
  store.log!.flush()
  expect(() => DirectoryReader.open(disk)!.readLogs()).toThrow(
    `${String(store.log!.id).padStart(6, '0')}.log is corrupt at offset ${size}`,
  )
})

test('figures', () => {
  const { disk, store } = filledDisk()
  disk.create('000900.temp').append(new Uint8Array(10), 0, 10)
  const reader = DirectoryReader.open(disk)!
  const stat = statDirectory(reader)
  expect(stat.levels.map(({ level, tables }) => [level, tables])).toEqual([
    [0, 2],
    [1, 1],
    [2, 1],
  ])
  expect(stat.levels[2]).toMatchObject({ entries: 40, deletes: 0, smallest: Uint8Array.from(bytesOf('key000')) })
  expect(stat.levels[0]!.greatest).toEqual(Uint8Array.of(255, 0, 128))
  expect(stat.levels[0]!.deletes).toBe(2)
  expect(stat).toMatchObject({ records: 4, puts: 4, deletes: 2, endLsn: store.lsn, generation: 0x5eed1234 })
  expect(stat.flushedLsn).toBeLessThan(stat.endLsn)
  expect(stat.logs).toHaveLength(2)
  expect(stat.orphans).toEqual(['000900.temp'])
  expect(stat.space.orphans).toBe(10)
  const { log, table, manifest, orphans, total } = stat.space
  expect(log + table + manifest + orphans).toBe(total)
  expect(total).toBe([...disk.files().values()].reduce((sum, { length }) => sum + length, 0))
})

function shuffled<T>(rng: Random, items: readonly T[]): T[] {
  const list = [...items]
  for (let i = list.length - 1; i > 0; i--) {
    const other = rng.int(i + 1)
    ;[list[i], list[other]] = [list[other]!, list[i]!]
  }
  return list
}

function fill(into: Pick<MemoryRun, 'add'>, entries: readonly Entry[]): void {
  for (const { key, sequence, value } of entries) {
    const [bytes, content] = [bytesOf(key), bytesOf(value ?? '')]
    into.add(bytes, 0, bytes.length, value === undefined ? KIND_DELETE : KIND_PUT, sequence, content, 0, content.length)
  }
}

test('a run in memory is a source like a table', () => {
  const rng = random(5)
  for (const count of [0, 1, 3, 200]) {
    const entries = randomEntries(rng, count)
    const run = new MemoryRun()
    fill(run, shuffled(rng, entries))
    run.sort()
    expect(forwards(run)).toEqual(entries)
    expect(backwards(run)).toEqual(entries)
    for (const { key, sequence } of entries) {
      for (const place of [sequence, sequence + 1, sequence - 1]) {
        const bytes = bytesOf(key)
        run.seek(bytes, 0, bytes.length, place)
        expect(entryAt(run)).toEqual(entries.find((each) => compare(each, { key, sequence: place, value: '' }) >= 0))
      }
    }
    run.clear()
    expect([run.entries, run.size]).toEqual([0, 0])
  }
})

test('a sorter keeps the newest of each key, whatever it spills', () => {
  const rng = random(6)
  for (const memoryBytes of [500, 5000, 1 << 20]) {
    const entries = shuffled(rng, randomEntries(rng, 400))
    const disk = new SimulatedDisk()
    let id = 1
    const sorter = new RunSorter({ disk: () => disk, generation: 1, newId: () => id++, memoryBytes, fanIn: 3 })
    fill(sorter, entries)
    const newest = new Map<string, Entry>()
    for (const entry of [...entries].sort(compare)) if (!newest.has(entry.key)) newest.set(entry.key, entry)
    const found = new Map<string, Entry>()
    for (const entry of forwards(sorter.source())) if (!found.has(entry.key)) found.set(entry.key, entry)
    expect([...found.values()]).toEqual([...newest.values()])
    expect(sorter.runs > 0).toBe(memoryBytes < 1 << 20)
    sorter.close()
    expect(disk.files().size).toBe(0)
    expect(disk.openFiles).toBe(0)
  }
})
