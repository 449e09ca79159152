/** A backup of a store that is open, in which logs go while they are copied: it begins anew. */
import { expect, it } from 'vitest'
import type { Disk, DiskFile } from '../../../src/lsm/disk.ts'
import { ioError } from '../../../src/lsm/file-error.ts'
import { logFile } from '../../../src/lsm/log-committer.ts'
import { backupOnline } from '../../../src/lsm/online-backup.ts'
import { HandTier, contents } from '../../support/hand-tier.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

/** The store's own files as the backup reads them; something is done before a log is opened. */
function reading(disk: SimulatedDisk, beforeLog: (opened: number, name: string) => void): Disk {
  let opened = 0
  const open = (name: string, access: 'read' | 'write'): DiskFile => {
    if (name.endsWith('.log')) beforeLog(++opened, name)
    return disk.open(name, access)
  }
  return new Proxy<Disk>(disk, {
    get: (target, key: keyof Disk) => (key === 'open' ? open : target[key].bind(target)),
  })
}

function filled(disk: SimulatedDisk): HandTier {
  const store = new HandTier(disk, { memtableEntries: 100 })
  for (let i = 0; i < 10; i++) {
    store.put(`key ${i}`, 'before')
    store.sync()
    // Two logs, so that one has been copied when the other is gone.
    if (i === 5) store.tier.words.askRotation(logFile(store.tier.log)!.id)
    store.turn()
  }
  return store
}

it('has everything although all of it is flushed, and the log removed, before any of the logs is opened', () => {
  let begunAnew = 0
  for (let at = 1; at <= 8; at++) {
    const disk = new SimulatedDisk()
    const store = filled(disk)
    const copy = new SimulatedDisk()
    const from = reading(disk, (opened, name) => {
      if (opened !== at) return
      store.put('key 3', 'meanwhile')
      store.flush()
      if (disk.sizeOf(name) === undefined) begunAnew++
    })
    backupOnline(store.tier, from, copy, {})
    expect(contents(new HandTier(SimulatedDisk.with(copy.files())).map)).toMatch(/key 0=before,.*key 9=before/)
    expect(copy.list().filter((name) => name.endsWith('.manifest'))).toHaveLength(1)
  }
  expect(begunAnew).toBeGreaterThan(1)
})

it('is given up when logs are never there, and leaves no manifest', () => {
  const disk = new SimulatedDisk()
  const store = filled(disk)
  const copy = new SimulatedDisk()
  let tries = 0
  const from = reading(disk, (_, name) => {
    tries++
    throw ioError('open', name, 0, 'ENOENT')
  })
  expect(() => backupOnline(store.tier, from, copy, {})).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
  expect(tries).toBe(20)
  expect(copy.list().filter((name) => name.endsWith('.manifest'))).toEqual([])
  // What was held is given back: the store flushes, and removes its log.
  store.flush()
  expect(disk.list().filter((name) => name.endsWith('.log'))).toHaveLength(1)
})
