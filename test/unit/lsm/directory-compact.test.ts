import { expect, test } from 'vitest'
import { compactDirectory, type RewriteOptions, type RewriteReport } from '../../../src/lsm/directory-compact.ts'
import { DirectoryReader } from '../../../src/lsm/directory-reader.ts'
import { verifyDirectory } from '../../../src/lsm/directory-verify.ts'
import type { Disk } from '../../../src/lsm/disk.ts'
import { FileError } from '../../../src/lsm/file-error.ts'
import { contentsOf, fillStore, filledDisk, MadeStore, sortedEntries } from '../../support/made-store.ts'
import { forEachCrash } from '../../support/crash-states.ts'
import { random } from '../../support/random.ts'
import { type Errno, SimulatedDisk } from '../../support/simulated-disk.ts'

const SMALL: RewriteOptions = { tableBytes: 600, table: { blockBytes: 200 }, memoryBytes: 150 }

function compact(disk: Disk, options = SMALL): RewriteReport {
  return compactDirectory(DirectoryReader.open(disk)!, options)
}

test('everything is in one level, without old versions, deletes and logs; old files are gone', () => {
  const { disk, store } = filledDisk()
  const lines: number[] = []
  const report = compact(disk, { ...SMALL, onProgress: (entries) => lines.push(entries) })
  expect([...contentsOf(disk)]).toEqual(sortedEntries(store.model))
  expect(verifyDirectory(disk)).toMatchObject({ wrong: [], notes: [] })
  const reader = DirectoryReader.open(disk)!
  expect(reader.levels.map((tables) => tables.length > 1)).toEqual([false, true])
  expect(reader.tableEntries()).toBe(store.model.size)
  expect(reader.chain).toEqual([])
  expect(reader.orphans).toEqual([])
  const { flushedLsn, generation, settings, clock } = reader.manifest
  expect(flushedLsn).toBe(store.lsn)
  expect({ generation, settings, clock }).toEqual({
    generation: store.manifest.generation,
    settings: Uint8Array.from(store.manifest.settings),
    clock: store.manifest.clock,
  })
  for (const { level, deletions } of reader.manifest.tables) expect([level, deletions]).toEqual([1, 0])
  expect(report.entriesRead - report.dropped - report.deletesDropped).toBe(store.model.size)
  expect(report.bytesAfter).toBe([...disk.files().values()].reduce((sum, { length }) => sum + length, 0))
  expect(lines[0]).toBe(0)
  expect(disk.openFiles).toBe(0)
})

test('again, it changes nothing but names', () => {
  const { disk, store } = filledDisk()
  compact(disk)
  const report = compact(disk)
  expect([report.dropped, report.deletesDropped]).toEqual([0, 0])
  expect([...contentsOf(disk)]).toEqual(sortedEntries(store.model))
})

test('a store of which all is deleted has no tables afterwards', () => {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  store.set('a', '1')
  store.flush(1)
  store.delete('a')
  store.close()
  expect(compact(disk).tables).toEqual([])
  expect(contentsOf(disk).size).toBe(0)
  expect([...disk.files().keys()]).toHaveLength(1)
})

test('a store goes on after it: logs begin where it says, and are replayed over it', () => {
  const { disk, store } = filledDisk()
  compact(disk)
  const { manifest, nextFileId } = DirectoryReader.open(disk)!
  const next = Object.assign(new MadeStore(new SimulatedDisk()), { disk, manifest, nextId: nextFileId })
  next.lsn = manifest.flushedLsn
  next.set('key001', 'after')
  next.delete('zz')
  next.close()
  store.model.set('key001', 'after')
  store.model.delete('zz')
  expect([...contentsOf(disk)]).toEqual(sortedEntries(store.model))
  expect(verifyDirectory(disk).wrong).toEqual([])
})

test('a crash at any moment leaves a store with the same entries, and can be followed by another attempt', () => {
  const { disk, store } = filledDisk(12)
  const expected = sortedEntries(store.model)
  const base = SimulatedDisk.with(disk.files())
  const initial = base.initial()
  compact(base)
  const states = forEachCrash(
    base.journal,
    random(11),
    6,
    (files, prefix) => {
      const left = SimulatedDisk.with(files)
      if (prefix % 3 === 0) {
        const { wrong } = verifyDirectory(left)
        expect(wrong, `after ${prefix} changes`).toEqual([])
      }
      expect([...contentsOf(left)], `after ${prefix} changes`).toEqual(expected)
      compact(left)
      expect([...contentsOf(left)]).toEqual(expected)
      expect(left.list()).toHaveLength(base.list().length)
    },
    initial,
  )
  expect(states).toBeGreaterThan(100)
}, 120_000)

test('a crash of a killed store likewise, whose last log has a torn end', () => {
  const made = new SimulatedDisk()
  const store = new MadeStore(made)
  fillStore(store, 9)
  const expected = sortedEntries(store.model)
  const base = SimulatedDisk.with(made.files())
  const initial = base.initial()
  compact(base)
  forEachCrash(
    base.journal,
    random(12),
    3,
    (files, prefix) => expect([...contentsOf(SimulatedDisk.with(files))], `after ${prefix} changes`).toEqual(expected),
    initial,
  )
}, 120_000)

test.each<Errno>(['EIO', 'ENOSPC'])(
  '%s at any call: an error with a code, and a store with the same entries',
  (errno) => {
    const { disk, store } = filledDisk(12)
    const expected = sortedEntries(store.model)
    const files = disk.files()
    const probe = SimulatedDisk.with(files)
    compact(probe)
    let failures = 0
    for (let at = 1; at <= probe.calls.length; at++) {
      const failing = SimulatedDisk.with(new Map([...files].map(([name, bytes]) => [name, bytes.slice()])))
      failing.fault = { at, errno, once: at % 2 === 0, sync: at % 4 < 2 ? 'kept' : 'dropped' }
      try {
        compact(failing)
      } catch (error) {
        failures++
        expect(error).toBeInstanceOf(FileError)
        expect(['HEDDLE_IO', 'HEDDLE_NO_SPACE']).toContain((error as FileError).code)
      }
      failing.fault = undefined
      expect([...contentsOf(failing)], `call ${at}`).toEqual(expected)
      expect(failing.openFiles, `call ${at}`).toBe(0)
    }
    expect(failures).toBeGreaterThan(20)
  },
  120_000,
)
