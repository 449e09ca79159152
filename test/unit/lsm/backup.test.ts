import { expect, test } from 'vitest'
import { backupStore, type BackupOptions } from '../../../src/lsm/backup.ts'
import { DirectoryReader } from '../../../src/lsm/directory-reader.ts'
import { verifyDirectory } from '../../../src/lsm/directory-verify.ts'
import { FileError } from '../../../src/lsm/file-error.ts'
import { contentsOf, filledDisk, fillStore, MadeStore, sortedEntries } from '../../support/made-store.ts'
import { forEachCrash } from '../../support/crash-states.ts'
import { random } from '../../support/random.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

function optionsFor(disk: SimulatedDisk): BackupOptions {
  const { manifest, chain } = DirectoryReader.open(disk)!
  return { manifest, logs: chain.map(({ id }) => id) }
}

test('a copy has the same entries, whole and in the same files; the original is not changed', () => {
  const { disk, store } = filledDisk()
  const before = disk.files()
  const to = new SimulatedDisk()
  const seen: number[] = []
  const report = backupStore(disk, to, { ...optionsFor(disk), onProgress: (bytes) => seen.push(bytes) })
  expect([...contentsOf(to)]).toEqual(sortedEntries(store.model))
  expect(verifyDirectory(to)).toMatchObject({ wrong: [], notes: [] })
  expect([...to.files().keys()].sort()).toEqual([...before.keys()].sort())
  expect(report).toMatchObject({ tables: 4, logs: 2, linked: 0 })
  expect(seen.at(-1)).toBe(report.copied)
  expect(disk.files()).toEqual(before)
  expect([disk.openFiles, to.openFiles]).toEqual([0, 0])
})

test('up to an LSN, while the log is written to: whole records and nothing behind them', () => {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  fillStore(store)
  store.sync()
  const upTo = store.lsn
  const expected = sortedEntries(store.model)
  const options = { ...optionsFor(disk), upTo }
  // What is written from here on, and what says that it is durable, must not be in the copy.
  store.set('later', 'x')
  store.sync()
  store.set('latest', 'y')
  store.sync()
  const to = new SimulatedDisk()
  backupStore(disk, to, options)
  expect([...contentsOf(to)]).toEqual(expected)
  expect(verifyDirectory(to)).toMatchObject({ wrong: [], notes: [] })
})

test('damage to the last group of a copied log is told from a torn end', () => {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  fillStore(store)
  const to = new SimulatedDisk()
  backupStore(disk, to, optionsFor(disk))
  const files = to.files()
  const name = [...files.keys()]
    .filter((each) => each.endsWith('.log'))
    .sort()
    .at(-1)!
  const bytes = files.get(name)!
  const at = Buffer.from(bytes).indexOf('at the end')
  bytes[at]! ^= 1
  expect(verifyDirectory(SimulatedDisk.with(files)).wrong.map(({ file }) => file)).toEqual([name])
})

test('tables are linked where that is possible', () => {
  const { disk, store } = filledDisk()
  const to = new SimulatedDisk()
  const files = disk.files()
  let tries = 0
  const link = (name: string): boolean => {
    if (tries++ % 2 === 1) return false
    const bytes = files.get(name)!
    to.create(name).append(bytes, 0, bytes.length)
    return true
  }
  const report = backupStore(disk, to, { ...optionsFor(disk), link })
  expect(report.linked).toBeGreaterThan(0)
  expect([...contentsOf(to)]).toEqual(sortedEntries(store.model))
})

test('a target that is not empty is refused, and not changed', () => {
  const { disk } = filledDisk()
  const to = new SimulatedDisk()
  to.create('000001.temp').close()
  expect(() => backupStore(disk, to, optionsFor(disk))).toThrow('give an empty directory')
  expect(to.list()).toEqual(['000001.temp'])
})

test('what is damaged is not copied as if it were sound', () => {
  const { disk } = filledDisk()
  const options = optionsFor(disk)
  const files = disk.files()
  const log = `${String(options.logs[0]).padStart(6, '0')}.log`
  const changed = files.get(log)!.slice()
  changed[130]! ^= 1
  expect(() => backupStore(SimulatedDisk.with(files.set(log, changed)), new SimulatedDisk(), options)).toThrow(
    FileError,
  )
  const table = `${String(options.manifest.tables[0]!.id).padStart(6, '0')}.table`
  const short = new Map(disk.files()).set(table, new Uint8Array(60))
  expect(() => backupStore(SimulatedDisk.with(short), new SimulatedDisk(), options)).toThrow(FileError)
})

test('a crash at any moment leaves no store in the target, or the whole one', () => {
  const { disk, store } = filledDisk(10)
  const expected = sortedEntries(store.model)
  const to = new SimulatedDisk()
  backupStore(disk, to, optionsFor(disk))
  let [none, whole] = [0, 0]
  forEachCrash(to.journal, random(8), 8, (files) => {
    const left = SimulatedDisk.with(files)
    if (![...files.keys()].some((name) => name.endsWith('.manifest'))) {
      none++
      return
    }
    whole++
    expect([...contentsOf(left)]).toEqual(expected)
    expect(verifyDirectory(left).wrong).toEqual([])
  })
  expect(none).toBeGreaterThan(50)
  expect(whole).toBeGreaterThan(3)
})

test('a fault at any call: an error with a code, and no store in the target', () => {
  const { disk } = filledDisk(10)
  const options = optionsFor(disk)
  const probe = new SimulatedDisk()
  backupStore(disk, probe, options)
  for (let at = 1; at <= probe.calls.length; at++) {
    const to = new SimulatedDisk()
    to.fault = { at, errno: 'EIO', once: true, sync: 'dropped' }
    expect(() => backupStore(disk, to, options)).toThrow(FileError)
    expect([disk.openFiles, to.openFiles]).toEqual([0, 0])
    expect(to.list().filter((name) => name.endsWith('.manifest'))).toEqual([])
  }
})
