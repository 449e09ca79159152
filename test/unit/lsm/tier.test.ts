/** The tier of one store, without threads: what is there after each kind of end, and what flushes and compactions keep. */
import { describe, expect, it } from 'vitest'
import { HandTier, contents, type HandOptions } from '../../support/hand-tier.ts'
import { random } from '../../support/random.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'
import { LogWriter } from '../../../src/lsm/log-writer.ts'
import { readManifest } from '../../../src/lsm/recovery.ts'
import { COUNT } from '../../../src/lsm/tier-words.ts'
import { LOG_NO_SPACE, logState } from '../../../src/lsm/log-committer.ts'

/** A mixed run over few keys. */
function churn(store: HandTier, seed: number, steps: number, settle = 10): void {
  const rng = random(seed)
  for (let i = 0; i < steps; i++) {
    const key = `key ${rng.int(40)}`
    const pick = rng.int(10)
    if (pick < 6) store.put(key, `value ${seed} ${i} ${'.'.repeat(rng.int(40))}`)
    else if (pick < 8) store.remove(key)
    else
      store.batch([
        ['a', `${i}`],
        [key, pick === 8 ? undefined : `batch ${i}`],
      ])
    if (rng.int(settle) === 0) store.settle()
  }
}

function reopened(disk: SimulatedDisk, options: HandOptions = {}): HandTier {
  return new HandTier(SimulatedDisk.with(disk.files()), options)
}

function namesOf(disk: SimulatedDisk, kind: string): string[] {
  return disk.list().filter((name) => name.endsWith(kind))
}

describe('a store is there again', () => {
  it.each([
    ['closed', (store: HandTier) => store.close()],
    ['not closed', () => {}],
    ['flushed', (store: HandTier) => store.flush()],
  ])('%s', (_name, end) => {
    for (let seed = 1; seed < 20; seed++) {
      const disk = new SimulatedDisk(seed)
      const store = new HandTier(disk)
      churn(store, seed, 20 * seed)
      expect(store.sync()).toBe(true)
      end(store)
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
  })

  it('after many lives', () => {
    const disk = new SimulatedDisk()
    let expected = ''
    for (let life = 1; life < 12; life++) {
      const store = new HandTier(disk)
      expect(contents(store.map)).toBe(expected)
      churn(store, life, 70)
      store.sync()
      store.close()
      expected = contents(store.map)
    }
    expect(namesOf(disk, '.manifest')).toHaveLength(1)
  })

  it('without what a crash has left behind', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    store.put('a', '1')
    store.sync()
    for (const name of ['000900.temp', '000901.table']) disk.create(name).close()
    const left = SimulatedDisk.with(disk.files())
    expect(contents(new HandTier(left).map)).toBe('a=1')
    expect(left.list()).not.toContain('000900.temp')
    expect(left.list()).not.toContain('000901.table')
  })

  it('with the settings it was made with, or not at all', () => {
    const disk = new SimulatedDisk()
    new HandTier(disk, { settings: 'one' }).close()
    expect(() => new HandTier(disk, { settings: 'another' })).toThrow(/was made with one, not another/)
    expect(() => new HandTier(disk, { settings: 'one' })).not.toThrow()
  })
})

describe('a flush', () => {
  it('comes when the memtable is full by entries, not before', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 10, memtableBytes: 1 << 20 })
    for (let i = 0; i < 9; i++) store.put(`key ${i}`, 'value')
    store.settle()
    expect(store.tier.words.count(COUNT.flushes)).toBe(0)
    store.put('key 9', 'value')
    store.settle()
    expect(store.tier.words.count(COUNT.flushes)).toBe(1)
    expect(store.tier.words.windowEntries()).toBe(0)
    expect(contents(reopened(disk).map)).toBe(contents(store.map))
  })

  it('comes when it is full by bytes', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 1e6, memtableBytes: 1000 })
    store.put('a', 'x'.repeat(400))
    store.settle()
    expect(store.tier.words.count(COUNT.flushes)).toBe(0)
    store.put('b', 'x'.repeat(600))
    store.settle()
    expect(store.tier.words.count(COUNT.flushes)).toBe(1)
  })

  it('has the next log made ahead at 80 %', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 10, memtableBytes: 1 << 20 })
    for (let i = 0; i < 7; i++) store.put(`key ${i}`, 'value')
    store.settle()
    expect(store.tier.words.prepared()).toBe(0)
    store.put('key 7', 'value')
    store.settle()
    const prepared = store.tier.words.prepared()
    expect(namesOf(disk, '.log')).toHaveLength(2)
    for (let i = 8; i < 10; i++) store.put(`key ${i}`, 'value')
    store.settle()
    expect(store.tier.words.prepared()).toBe(0)
    expect(namesOf(disk, '.log')).toEqual([`${String(prepared).padStart(6, '0')}.log`])
  })

  it('puts of each key the newest change into its table, and no delete where there is nothing to delete', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    for (const value of ['1', '2', '3']) store.put('a', value)
    store.put('gone', '1')
    store.remove('gone')
    store.put('b', '1')
    store.remove('b')
    store.put('b', '2')
    store.batch([
      ['a', '4'],
      ['also gone', undefined],
    ])
    store.flush()
    const version = store.tier.catalog.acquire()
    const [{ entries, deletes }] = version.state.levels[0]
    store.tier.catalog.release(version)
    expect([entries, deletes]).toEqual([2, 0])
    expect(contents(reopened(disk).map)).toBe('a=4,b=2')
  })

  it('leaves one manifest, one log and no table that a version does not name', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    churn(store, 3, 600, 5)
    store.flush()
    const version = store.tier.catalog.acquire()
    const tables = version.state.levels.flat().map(({ id }) => `${String(id).padStart(6, '0')}.table`)
    expect(namesOf(disk, '.table').sort()).toEqual(tables.sort())
    expect(namesOf(disk, '.manifest')).toHaveLength(1)
    expect(namesOf(disk, '.log')).toHaveLength(1)
    expect(namesOf(disk, '.temp')).toEqual([])
    store.tier.catalog.release(version)
  })

  it('keeps a delete while a table below has the key, and drops it at the bottom', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 1e6, maintainer: { picking: { levelZeroTables: 3 } } })
    store.put('a', 'old')
    store.put('b', 'old')
    store.flush()
    store.remove('a')
    store.flush()
    expect(contents(reopened(disk).map)).toBe('b=old')
    const version = store.tier.catalog.acquire()
    expect(version.state.levels[0].map(({ deletes }) => deletes)).toEqual([1, 0])
    store.tier.catalog.release(version)
    store.put('c', 'new')
    store.flush()
    expect(contents(reopened(disk).map)).toBe('b=old,c=new')
    const after = store.tier.catalog.acquire()
    expect(after.state.levels.map((tables) => tables.length)).toEqual([0, 1])
    expect(after.state.levels[1][0].deletes).toBe(0)
    store.tier.catalog.release(after)
  })
})

describe('a compaction', () => {
  it('keeps all answers', () => {
    for (let seed = 1; seed < 8; seed++) {
      const disk = new SimulatedDisk(seed)
      const store = new HandTier(disk, { memtableEntries: 8 })
      churn(store, seed, 500, 6)
      store.flush()
      expect(store.tier.words.count(COUNT.compactions)).toBeGreaterThan(5)
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
  })

  it('comes after so many updates although no level is full', () => {
    const store = new HandTier(new SimulatedDisk(), {
      memtableEntries: 10,
      maintainer: { picking: { levelZeroTables: 100, compactEvery: 30 } },
    })
    for (let i = 0; i < 50; i++) {
      store.put(`key ${i}`, 'value')
      store.settle()
      expect(store.tier.words.count(COUNT.compactions)).toBe(i < 29 ? 0 : 1)
    }
  })

  it('does not hold up a flush: one that is due comes in the middle', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 50, maintainer: { stepEntries: 1, tableBytes: 100_000 } })
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 50; i++) store.put(`key ${i}`, `value ${round}`)
      for (let i = 0; i < 5; i++) {
        store.turn()
        store.maintainer.step()
      }
    }
    const { words } = store.tier
    expect([words.count(COUNT.flushes), words.count(COUNT.compactions)]).toEqual([2, 0])
    for (let i = 0; i < 50; i++) store.put(`key ${i}`, 'newest')
    for (let i = 0; i < 6; i++) {
      store.turn()
      store.maintainer.step()
    }
    expect([words.count(COUNT.flushes), words.count(COUNT.compactions)]).toEqual([3, 0])
    store.settle()
    expect(words.count(COUNT.compactions)).toBe(1)
    expect(contents(reopened(disk).map)).toBe(contents(store.map))
  })
})

describe('a successor', () => {
  it('of the log worker goes on where the dead one was, at any moment', () => {
    for (let seed = 1; seed < 10; seed++) {
      const disk = new SimulatedDisk(seed)
      const store = new HandTier(disk)
      for (let death = 0; death < 12; death++) {
        churn(store, seed * 100 + death, 9, 4)
        store.newLogWorker()
      }
      store.sync()
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
  })

  it('of the maintainer goes on, at any moment', () => {
    for (let seed = 1; seed < 10; seed++) {
      const disk = new SimulatedDisk(seed)
      const store = new HandTier(disk, { memtableEntries: 6, maintainer: { stepEntries: 2 } })
      const rng = random(seed)
      for (let death = 0; death < 30; death++) {
        churn(store, seed * 100 + death, 5, 1000)
        for (let i = rng.int(12); i >= 0; i--) {
          store.turn()
          store.maintainer.step()
        }
        store.newMaintainer()
      }
      store.flush()
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
  })
})

describe('without room on the disk', () => {
  it('writers are refused, and all goes on when there is some', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    churn(store, 1, 60)
    store.sync()
    disk.capacity = disk.files().size * 10
    let refused = 0
    for (let i = 0; i < 200; i++) {
      try {
        store.put(`more ${i}`, 'x'.repeat(50))
        store.settle(3)
      } catch (error) {
        expect(error).toMatchObject({ code: 'HEDDLE_NO_SPACE' })
        refused++
      }
    }
    expect(refused).toBeGreaterThan(10)
    expect(logState(store.tier.log)).toBe(LOG_NO_SPACE)
    disk.capacity = Infinity
    expect(store.sync()).toBe(true)
    store.put('last', 'one')
    store.flush()
    expect(store.tier.words.hasFailed()).toBe(false)
    expect(contents(reopened(disk).map)).toBe(contents(store.map))
  })
})

describe("of the disk's failures", () => {
  it('want of room for tables only is tried again for ever', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    churn(store, 1, 30, 1000)
    store.sync()
    for (let i = 0; i < 12; i++) {
      disk.fault = { at: disk.calls.length + 1, errno: 'ENOSPC', once: false }
      store.maintainer.step()
      disk.fault = undefined
      store.turn()
    }
    expect(store.tier.words.count(COUNT.failures)).toBeGreaterThan(3)
    expect(store.tier.words.hasFailed()).toBe(false)
    store.flush()
    expect(store.tier.words.count(COUNT.flushes)).toBe(1)
    expect(contents(reopened(disk).map)).toBe(contents(store.map))
  })

  it('one at any call of the end of a log leaves no manifest that names a log which is gone', () => {
    let faults = 0
    for (let at = 1; at < 25; at++) {
      const disk = new SimulatedDisk(at)
      const store = new HandTier(disk, { memtableEntries: 10, memtableBytes: 1 << 20 })
      for (let i = 0; i < 10; i++) store.put(`key ${i}`, 'value')
      store.sync()
      store.maintainer.step()
      disk.fault = { at: disk.calls.length + at, errno: 'EIO', once: true, sync: 'dropped' }
      store.turn()
      disk.fault = undefined
      faults += disk.faults
      for (let i = 0; i < 3; i++) {
        store.maintainer.step()
        expect(contents(reopened(disk).map)).toBe(contents(store.map))
      }
      store.settle()
      expect(contents(reopened(disk).map)).toBe(contents(store.map))
    }
    expect(faults).toBeGreaterThan(5)
  })
})

describe('a log that was made ahead', () => {
  it('and comes too late, behind one of a higher id, is not begun', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk, { memtableEntries: 1e6 })
    const { words } = store.tier
    const late = words.takeFileId()
    LogWriter.make(disk, late, words.settings.generation, 1024)
    for (let round = 0; round < 2; round++) {
      store.put(`key ${round}`, 'value')
      store.flush()
      words.setPrepared(late)
    }
    store.put('last', 'value')
    store.sync()
    expect(contents(reopened(disk).map)).toBe(contents(store.map))
    expect(namesOf(disk, '.log')).not.toContain(`${String(late).padStart(6, '0')}.log`)
  })
})

describe('manifests', () => {
  it('say up to where the logs are in tables', () => {
    const disk = new SimulatedDisk()
    const store = new HandTier(disk)
    churn(store, 9, 100)
    store.flush()
    const id = Number.parseInt(namesOf(disk, '.manifest')[0], 10)
    const manifest = readManifest(disk, id)
    expect(manifest.logs).toHaveLength(1)
    const largest = Math.max(...manifest.tables.map(({ largestVersion }) => largestVersion))
    expect(manifest.flushedLsn).toBeGreaterThan(largest)
  })
})
