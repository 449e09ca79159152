/** The tier without threads, when the disk fails, or is full, at the worst moment: nothing is lost, and nothing is stuck. */
import { describe, expect, it } from 'vitest'
import { HandTier, contents, type HandOptions } from '../../support/hand-tier.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'
import type { DiskFile } from '../../../src/lsm/disk.ts'
import { ioError } from '../../../src/lsm/file-error.ts'
import { LOG_NO_SPACE, LOG_WORKS, logFile, logState } from '../../../src/lsm/log-committer.ts'
import { LogWriter } from '../../../src/lsm/log-writer.ts'
import { beginMaintainer } from '../../../src/lsm/tier-loops.ts'
import { COUNT } from '../../../src/lsm/tier-words.ts'

function reopened(disk: SimulatedDisk, options: HandOptions = {}): HandTier {
  return new HandTier(SimulatedDisk.with(disk.files()), options)
}

function bytesOn(disk: SimulatedDisk): number {
  let bytes = 0
  for (const content of disk.files().values()) bytes += content.length
  return bytes
}

/** A disk whose files fail as told, after or before they do what they were asked. */
class FaultyDisk extends SimulatedDisk {
  afterWrite = false
  removals = false
  reads: ((name: string, offset: number) => boolean) | undefined

  override open(name: string, access: 'read' | 'write'): DiskFile {
    const file = super.open(name, access)
    const write = file.write.bind(file)
    const read = file.read.bind(file)
    file.write = (from, at, length, offset) => {
      write(from, at, length, offset)
      if (this.afterWrite) throw ioError('write', name, offset, 'EIO')
    }
    file.read = (into, at, length, offset) => {
      if (this.reads?.(name, offset) === true) throw ioError('read', name, offset, 'EIO')
      return read(into, at, length, offset)
    }
    return file
  }

  override remove(name: string): void {
    if (this.removals) throw ioError('remove', name, 0, 'EIO')
    super.remove(name)
  }
}

describe('room that is there again is noticed', () => {
  it('with durability none, although nobody asks for a sync', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { durability: 'none', memtableEntries: 1e6 })
    disk.capacity = bytesOn(disk) + 100
    store.put('a', '1')
    for (let i = 0; i < 3; i++) store.turn()
    expect(logState(store.tier.log)).toBe(LOG_NO_SPACE)
    disk.capacity = Infinity
    for (let i = 0; i < 3; i++) store.turn()
    expect(logState(store.tier.log)).toBe(LOG_WORKS)
    expect(contents(reopened(disk).map)).toBe('a=1')
  })

  it('whatever call of the end of a log had none, although there is nothing to write', () => {
    let refusals = 0
    for (let at = 1; at < 25; at++) {
      const disk = new SimulatedDisk(at)
      const store = new HandTier(disk, { memtableEntries: 10, memtableBytes: 1 << 20 })
      for (let i = 0; i < 10; i++) store.put(`key ${i}`, 'value')
      store.sync()
      store.maintainer.step()
      disk.fault = { at: disk.calls.length + at, errno: 'ENOSPC', once: true, sync: 'dropped' }
      store.turn()
      disk.fault = undefined
      if (logState(store.tier.log) === LOG_NO_SPACE) refusals++
      for (let i = 0; i < 3; i++) store.turn()
      expect(logState(store.tier.log)).toBe(LOG_WORKS)
      store.put('last', 'value')
      store.settle()
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
    expect(refusals).toBeGreaterThan(2)
  })

  it('by others too: a log that could not be made ahead keeps none of it', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 10, memtableBytes: 1 << 20 })
    for (let i = 0; i < 8; i++) store.put(`key ${i}`, 'value')
    store.sync()
    const before = bytesOn(disk)
    disk.capacity = before + 1000
    for (let i = 0; i < 5; i++) store.maintainer.step()
    expect(store.tier.words.count(COUNT.failures)).toBeGreaterThan(1)
    expect(bytesOn(disk)).toBe(before)
    expect(disk.list().filter((name) => name.endsWith('.temp'))).toEqual([])
  })

  it('nor does a manifest, however often it is tried', () => {
    let refused = 0
    for (let room = 0; room < 1200; room += 50) {
      const disk = new SimulatedDisk()
      const store = new HandTier(disk, { memtableEntries: 10, memtableBytes: 1 << 20 })
      for (let i = 0; i < 10; i++) store.put(`key ${i}`, 'value')
      store.sync()
      // The log is ended, and nothing of the flush is done yet.
      store.maintainer.step()
      store.turn()
      disk.capacity = bytesOn(disk) + room
      for (let i = 0; i < 6; i++) store.maintainer.step()
      const names = disk.list()
      if (names.some((name) => name.endsWith('.table')) && store.tier.words.count(COUNT.flushes) === 0) refused++
      expect(names.filter((name) => name.endsWith('.temp'))).toEqual([])
      disk.capacity = Infinity
      store.flush()
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
    expect(refused).toBeGreaterThan(0)
  })
})

describe('a maintainer that cannot begin', () => {
  const config = (store: HandTier): Parameters<typeof beginMaintainer>[2] => ({
    directory: '',
    maintainer: store.maintainerOptions,
  })

  it('is tried again', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    disk.fault = { at: disk.calls.length + 1, errno: 'EIO', once: true, sync: 'kept' }
    expect(beginMaintainer(store.tier, disk, config(store), () => false)).toBeDefined()
    expect(disk.faults).toBe(1)
    expect(store.tier.words.hasFailed()).toBe(false)
  })

  it('makes the store read-only in the end, and writers are told why', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    store.put('a', '1')
    store.sync()
    disk.fault = { at: disk.calls.length + 1, errno: 'EIO', once: false, sync: 'kept' }
    expect(beginMaintainer(store.tier, disk, config(store), () => false)).toBeUndefined()
    expect(disk.faults).toBeGreaterThan(3)
    disk.fault = undefined
    store.turn()
    expect(() => store.put('b', '2')).toThrow(
      expect.objectContaining({
        code: 'HEDDLE_IO',
        message: expect.stringMatching(/the thread that makes tables .* \(EIO\), so the store is read-only/),
      }),
    )
    expect(contents(reopened(disk).map)).toBe('a=1')
  })

  it('for what is damaged says that it is that', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    const manifest = disk.list().find((name) => name.endsWith('.manifest'))!
    disk.open(manifest, 'write').write(Uint8Array.of(1), 0, 1, 40)
    expect(beginMaintainer(store.tier, disk, config(store), () => false)).toBeUndefined()
    store.turn()
    expect(() => store.put('b', '2')).toThrow(
      / \(a file of the store is corrupt: `heddle verify` names it\), so the store/,
    )
  })

  it('is not waited for when the store is closed', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    disk.fault = { at: disk.calls.length + 1, errno: 'EIO', once: false, sync: 'kept' }
    expect(beginMaintainer(store.tier, disk, config(store), () => disk.faults > 1)).toBeUndefined()
    expect(store.tier.words.hasFailed()).toBe(false)
  })
})

describe('a log that began, and failed before anybody knew', () => {
  it('is not followed by one of a lower id', () => {
    const disk = new FaultyDisk()
    const store = new HandTier(disk, { memtableEntries: 1e6 })
    const { words, log } = store.tier
    store.put('a', '1')
    store.sync()
    const lower = words.takeFileId()
    LogWriter.make(disk, lower, words.settings.generation, 1024)
    words.askRotation(logFile(log)!.id)
    disk.afterWrite = true
    disk.removals = true
    store.turn()
    disk.afterWrite = false
    disk.removals = false
    words.setPrepared(lower)
    store.put('b', '2')
    expect(store.sync()).toBe(true)
    expect(contents(reopened(disk).map)).toBe('a=1,b=2')
  })
})

describe('a compaction', () => {
  it('that fails again and again makes the store read-only, although it gets on for a while each time', () => {
    const disk = new FaultyDisk()
    const store = new HandTier(disk, { memtableEntries: 50, maintainer: { stepEntries: 2, tableBytes: 1e6 } })
    const { words } = store.tier
    // A block in the middle of the tables.
    disk.reads = (name, offset) => name.endsWith('.table') && offset > 300 && offset < 600
    for (let round = 0; round < 6 && !words.hasFailed(); round++) {
      for (let i = 0; i < 50; i++) store.put(`key ${i}`, `value ${round}`)
      store.settle(100)
    }
    expect(words.count(COUNT.flushes)).toBeGreaterThan(1)
    expect(words.hasFailed()).toBe(true)
  })

  it('comes early if the catalog has no room for more tables, and the store opens again at any time', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, {
      memtableEntries: 4,
      memtableBytes: 1 << 20,
      maintainer: { picking: { levelZeroTables: 100 }, tableBytes: 1e6 },
    })
    const { words } = store.tier
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < 4; i++) store.put(`${'long key '.repeat(100)} ${i}`, `value ${round}`)
      store.settle()
      expect(words.windowEntries()).toBe(0)
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
    expect(words.count(COUNT.flushes)).toBe(8)
    expect(words.count(COUNT.compactions)).toBeGreaterThan(2)
  })
})

describe('a record that no writer made, under a checksum that fits,', () => {
  it('is refused by the opening, and by a flush, with the name of its file and where it lies', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 1e6 })
    const { log, me } = store.tier
    store.put('a', '1')
    log.complete(log.reserve(me.slot, 1), 77, 4)
    expect(store.sync()).toBe(true)
    const name = `${String(logFile(log)!.id).padStart(6, '0')}.log`
    const refusal = { code: 'HEDDLE_CORRUPT', file: name }
    let caught: unknown
    try {
      reopened(disk)
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject(refusal)
    store.flush()
    expect(store.maintainer.failure).toMatchObject(refusal)
  })
})
