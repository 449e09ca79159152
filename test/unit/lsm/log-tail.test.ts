/** The end of a log that is written again at an opening: once, in few pieces, and trusted by others only when it may be. */
import { describe, expect, it } from 'vitest'
import { FileError } from '../../../src/lsm/file-error.ts'
import { crashStates } from '../../support/crash-states.ts'
import { HandTier, contents } from '../../support/hand-tier.ts'
import { MadeStore } from '../../support/made-store.ts'
import { random } from '../../support/random.ts'
import { type Files, SimulatedDisk } from '../../support/simulated-disk.ts'

const OPTIONS = { memtableEntries: 10_000, memtableBytes: 1 << 24 }
const KEYS = 150
const CRASHES = 12

/** What a process leaves whose end nobody has seen coming. */
function left(keys = KEYS): { files: Files; expected: string } {
  const disk = new SimulatedDisk()
  const store = new HandTier(disk, { ...OPTIONS, durability: 'none' })
  for (let i = 0; i < keys; i++) store.put(`key ${i}`, '.'.repeat(i % 50))
  expect(store.sync()).toBe(true)
  return { files: disk.files(), expected: contents(store.map) }
}

/** The calls of an opening that writes the end of a log again. */
function callsOf(files: Files): readonly string[] {
  const disk = SimulatedDisk.with(files)
  new HandTier(disk, OPTIONS)
  return disk.calls
}

describe('the doubtful end of a log', () => {
  it('is written again in few pieces', () => {
    const calls = callsOf(left().files)
    expect(calls.filter((call) => call === 'create')).toHaveLength(1)
    expect(calls.filter((call) => call === 'write').length).toBeLessThan(8)
  })

  it('is written again once, however often the store is opened', () => {
    const { files, expected } = left()
    const disk = SimulatedDisk.with(files)
    expect(contents(new HandTier(disk, OPTIONS).map)).toBe(expected)
    const names = disk.list()
    for (let i = 0; i < 3; i++) {
      const before = disk.journal.length
      expect(contents(new HandTier(disk, OPTIONS).map)).toBe(expected)
      expect(new Set(disk.journal.slice(before).map(({ kind }) => kind))).toEqual(new Set(['sync directory', 'sync']))
    }
    expect(disk.list()).toEqual(names)
  })

  it('may be larger than a piece, as may be one record of it', () => {
    const disk = new SimulatedDisk()
    const store = new MadeStore(disk)
    for (const [i, length] of [10, 100_000, 60_000, 200_000, 7, 200_001, 0].entries()) {
      store.set(`key ${i}`, `${i}`.padEnd(length, '.'))
      store.gaps()
    }
    const expected = contents(store.model)
    const options = { ...OPTIONS, settings: Buffer.from(store.manifest.settings).toString() }
    expect(contents(new HandTier(disk, options).map)).toBe(expected)
    const copies = disk.calls.length
    expect(contents(new HandTier(disk, options).map)).toBe(expected)
    expect(disk.calls.slice(copies)).not.toContain('create')
  })
})

describe('the MARK behind it', () => {
  it('does without, if it cannot be written', () => {
    const { files, expected } = left(3)
    const calls = callsOf(files)
    const at = calls.lastIndexOf('sync directory') + 2
    expect(calls.slice(at - 1, at + 2)).toEqual(['open', 'write', 'sync'])
    for (let call = at; call < at + 3; call++) {
      for (const sync of ['kept', 'dropped'] as const) {
        const disk = SimulatedDisk.with(files)
        disk.fault = { at: call, errno: 'EIO', once: true, sync }
        expect(contents(new HandTier(disk, OPTIONS).map)).toBe(expected)
        expect(disk.faults).toBe(1)
        expect(contents(new HandTier(disk, OPTIONS).map)).toBe(expected)
      }
    }
  })

  it('is not there before the name is durable: who trusts it loses nothing', () => {
    const { files, expected } = left(3)
    let failures = 0
    for (let at = 1; at <= callsOf(files).length; at++) {
      const disk = SimulatedDisk.with(files)
      const initial = disk.initial()
      disk.fault = { at, errno: 'EIO', once: true, sync: 'dropped' }
      try {
        new HandTier(disk, OPTIONS)
      } catch (error) {
        expect(error).toBeInstanceOf(FileError)
        failures++
      }
      disk.fault = undefined
      const next = new HandTier(disk, OPTIONS)
      expect(contents(next.map)).toBe(expected)
      next.put('next', 'second')
      expect(next.sync()).toBe(true)
      for (let i = 0; i < CRASHES; i++) {
        const state = crashStates(disk.journal, disk.journal.length, random(at * 100 + i), initial).next().value!
        expect(contents(new HandTier(SimulatedDisk.with(state), OPTIONS).map), `call ${at}, crash ${i}`).toBe(
          contents(next.map),
        )
      }
    }
    expect(failures).toBeGreaterThan(5)
  })
})
