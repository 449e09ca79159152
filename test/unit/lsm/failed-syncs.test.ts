/**
 * A sync fails, its process ends, another one opens the store: the kernel tells the second one nothing, and shows it files
 * and names of which the disk has a part only. What it then says to be durable survives a crash all the same.
 */
import { expect, test } from 'vitest'
import { HeddleError } from '../../../src/memory/error.ts'
import { backupOnline } from '../../../src/lsm/online-backup.ts'
import { planRecovery, surveyDirectory, writeManifest } from '../../../src/lsm/recovery.ts'
import { crashStates } from '../../support/crash-states.ts'
import { HandTier, contents } from '../../support/hand-tier.ts'
import { random } from '../../support/random.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

const CRASHES = 12

/** What a process does until the disk has failed. @returns what is known to be durable */
function work(disk: SimulatedDisk): string[] {
  const durable: string[] = []
  try {
    const store = new HandTier(disk, { memtableEntries: 4, memtableBytes: 1 << 20 })
    for (let i = 0; i < 9 && disk.faults === 0; i++) {
      store.put(`k${i}`, 'first')
      if (store.tier.log.isStable(store.tier.log.frontier())) durable.push(`k${i}`)
      store.turn(true)
      if (disk.faults > 0) return durable
      durable.push(`k${i}`)
      store.maintainer.step()
    }
  } catch (error) {
    expect(error).toBeInstanceOf(HeddleError)
  }
  return durable
}

const probe = new SimulatedDisk()
work(probe)
// Alone, or with all calls from there on, so that nothing is cleared away either.
const syncs = probe.calls.flatMap((call, i) =>
  call.startsWith('sync') ? ([[i + 1, call, true] as const, [i + 1, call, false] as const] as const) : [],
)

test('there are syncs of all kinds', () => {
  expect(syncs.length).toBeGreaterThan(40)
})

test.each(syncs)('call %i, a %s, fails (once %s), and its process ends', (at, _, once) => {
  const disk = new SimulatedDisk(at)
  disk.fault = { at, errno: 'EIO', once, sync: 'dropped' }
  const durable = work(disk)
  expect(disk.faults).toBeGreaterThan(0)
  disk.fault = undefined
  const next = new HandTier(disk, { memtableEntries: 4, memtableBytes: 1 << 20 })
  for (const key of durable) expect(next.map.has(key), key).toBe(true)
  next.put('next', 'second')
  expect(next.sync()).toBe(true)
  const expected = contents(next.map)
  const { length } = disk.journal
  for (let i = 0; i < CRASHES; i++) {
    const left = crashStates(disk.journal, length, random(at * 100 + i)).next().value!
    expect(contents(new HandTier(SimulatedDisk.with(left)).map), `crash ${i}`).toBe(expected)
  }
})

function fullDisk(disk: SimulatedDisk): SimulatedDisk {
  const files = disk.files()
  const full = SimulatedDisk.with(files)
  full.capacity = [...files.values()].reduce((sum, { length }) => sum + length, 0)
  return full
}

test('a disk that is full keeps nobody from opening a store after a crash, and is left as it was', () => {
  const disk = new SimulatedDisk()
  const store = new HandTier(disk, { memtableEntries: 100 })
  store.put('a', '1')
  store.sync()
  const full = fullDisk(disk)
  expect(contents(new HandTier(full).map)).toBe('a=1')
  expect(full.list()).toEqual(disk.list())
  // The same with a manifest that may not be durable: then also what only the older one names stays.
  const { manifest } = planRecovery(surveyDirectory(disk))
  writeManifest(disk, { ...manifest!, id: 50, nextFileId: 51, logs: [2] })
  const again = fullDisk(disk)
  expect(contents(new HandTier(again).map)).toBe('a=1')
  expect(again.list()).toEqual(disk.list())
  again.capacity = Infinity
  expect(contents(new HandTier(again).map)).toBe('a=1')
  expect(again.list().filter((name) => name.endsWith('.manifest'))).toEqual(['000051.manifest'])
})

test('what is durable for sure is not written again', () => {
  const disk = new SimulatedDisk()
  const store = new HandTier(disk)
  store.put('a', '1')
  store.sync()
  store.close()
  const before = disk.journal.length
  new HandTier(disk)
  expect(disk.journal.slice(before).map(({ kind }) => kind)).toEqual(['sync directory', 'sync'])
})

test('after a crash with everything in tables, a backup looks for no log that is gone', () => {
  const disk = new SimulatedDisk()
  const store = new HandTier(disk, { memtableEntries: 100 })
  store.put('a', '1')
  store.flush()
  const next = new HandTier(disk)
  const copy = new SimulatedDisk()
  backupOnline(next.tier, disk, copy, {})
  expect(contents(new HandTier(copy).map)).toBe('a=1')
})
