/**
 * What an old log says beyond the logs' end must not come back when `load` or `compact` has made the store anew, and was
 * interrupted before all old files were gone for good. An old log says such things after a failed sync: what had not been
 * synced is written again to the next log, and of that the crash takes a part.
 */
import { describe, expect, test } from 'vitest'
import { compactDirectory } from '../../../src/lsm/directory-compact.ts'
import { Loader } from '../../../src/lsm/directory-load.ts'
import { DirectoryReader } from '../../../src/lsm/directory-reader.ts'
import type { Disk } from '../../../src/lsm/disk.ts'
import { FileError } from '../../../src/lsm/file-error.ts'
import { bytesOf } from '../../support/entries.ts'
import { forEachCrash } from '../../support/crash-states.ts'
import { contentsOf, fillStore, MadeStore, sortedEntries } from '../../support/made-store.ts'
import { random } from '../../support/random.ts'
import { type Errno, SimulatedDisk } from '../../support/simulated-disk.ts'

const SMALL = { tableBytes: 700, table: { blockBytes: 200 }, memoryBytes: 600 }
const ADDED = [['key001', 'loaded']] as const

type Entries = readonly (readonly [string, string])[]

interface Tool {
  readonly name: string
  readonly run: (disk: Disk) => void
  /** What is to be there before it and after it. */
  readonly results: (model: ReadonlyMap<string, string>) => readonly Entries[]
}

const TOOLS: readonly Tool[] = [
  {
    name: 'compact',
    run: (disk) => void compactDirectory(DirectoryReader.open(disk)!, SMALL),
    results: (model) => [sortedEntries(model)],
  },
  {
    name: 'load',
    run: (disk) => {
      const loader = new Loader(disk, { ...SMALL, into: true })
      try {
        for (const [key, value] of ADDED) loader.add(bytesOf(key), bytesOf(value))
        loader.finish()
      } finally {
        loader.abandon()
      }
    },
    results: (model) => [sortedEntries(model), sortedEntries(new Map([...model, ...ADDED]))],
  },
]

/** A store whose last log but one says more than the last one has. */
function staleStore(): { files: Map<string, Uint8Array>; model: Map<string, string> } {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  fillStore(store, 8)
  store.sync()
  const model = new Map(store.model)
  for (let i = 0; i < 4; i++) store.set(`key00${i}`, `not synced ${i}`)
  store.giveUpLog()
  store.set('key000', 'not synced 0')
  store.close()
  return { files: disk.files(), model: model.set('key000', 'not synced 0') }
}

const copy = (files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> =>
  new Map([...files].map(([name, bytes]) => [name, bytes.slice()]))

test('an old log does say more than the store holds', () => {
  const { files, model } = staleStore()
  expect([...contentsOf(SimulatedDisk.with(files))]).toEqual(sortedEntries(model))
  const last = [...files.keys()]
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1)!
  files.delete(last)
  expect(contentsOf(SimulatedDisk.with(files)).get('key003')).toBe('not synced 3')
})

describe.each(TOOLS)('$name', ({ run, results }) => {
  test('a crash at any moment brings nothing back', () => {
    const { files, model } = staleStore()
    const allowed = results(model)
    const disk = SimulatedDisk.with(files)
    const initial = disk.initial()
    run(disk)
    const after = allowed.at(-1)
    const states = forEachCrash(
      disk.journal,
      random(5),
      12,
      (left, prefix) => {
        const crashed = SimulatedDisk.with(left)
        expect(allowed, `after ${prefix} changes`).toContainEqual([...contentsOf(crashed)])
        run(crashed)
        expect([...contentsOf(crashed)], `again, after ${prefix} changes`).toEqual(after)
      },
      initial,
    )
    expect(states).toBeGreaterThan(200)
  }, 120_000)

  test.each<[Errno, boolean, 'kept' | 'dropped']>([
    ['EIO', true, 'dropped'],
    ['EIO', true, 'kept'],
    ['EIO', false, 'dropped'],
    ['ENOSPC', true, 'dropped'],
    ['ENOSPC', false, 'kept'],
  ])(
    '%s at any call (once %s, %s), another attempt, and then a crash',
    (errno, once, sync) => {
      const { files, model } = staleStore()
      const allowed = results(model)
      const after = allowed.at(-1)
      const probe = SimulatedDisk.with(copy(files))
      run(probe)
      let failures = 0
      for (let at = 1; at <= probe.calls.length; at++) {
        const disk = SimulatedDisk.with(copy(files), at)
        const initial = disk.initial()
        disk.fault = { at, errno, once, sync }
        try {
          run(disk)
        } catch (error) {
          failures++
          expect(error).toBeInstanceOf(FileError)
        }
        disk.fault = undefined
        expect(disk.openFiles, `call ${at}`).toBe(0)
        expect(allowed, `call ${at}`).toContainEqual([...contentsOf(disk)])
        run(disk)
        // What a failed sync has dropped is drawn once for each way.
        const isSync = probe.calls[at - 1]!.startsWith('sync')
        const ways = isSync && sync === 'dropped' ? 10 : 1
        for (let way = 0; way < ways; way++) {
          forEachCrash(
            disk.journal,
            random(at + 1000 * way),
            1,
            (left, prefix) => {
              if (!isSync && (prefix + at) % 5 !== 0) return
              expect(allowed, `call ${at}, ${prefix} changes`).toContainEqual([...contentsOf(SimulatedDisk.with(left))])
            },
            initial,
          )
        }
        expect([...contentsOf(disk)], `call ${at}`).toEqual(after)
      }
      expect(failures).toBeGreaterThan(10)
    },
    240_000,
  )
})
