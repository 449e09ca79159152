/**
 * Every call to the disk of a mixed run of a whole tier fails, once and for ever: at its start, in its log, in flushes and in
 * compactions.
 *
 * Whatever fails: writers get a typed error or none, nothing that was known to be durable is lost, no file stays open, and a
 * start after the fault finds a prefix of what was done. `FAULT_STRIDE` 1 takes every call, the default every fifth, from
 * another one on for each kind of fault.
 */
import { describe, expect, it } from 'vitest'
import { HeddleError } from '../../src/memory/error.ts'
import { LOG_FAILED, logState } from '../../src/lsm/log-committer.ts'
import { crashStates } from '../support/crash-states.ts'
import { HandTier, type HandOptions, contents } from '../support/hand-tier.ts'
import { fromEnv, random } from '../support/random.ts'
import { type Errno, type Fault, type Files, SimulatedDisk } from '../support/simulated-disk.ts'
import { type History, run } from '../support/tier-history.ts'

const CODES = ['HEDDLE_IO', 'HEDDLE_NO_SPACE']
const STRIDE = fromEnv('FAULT_STRIDE', 5)
const STEPS = 22
const OPTIONS: HandOptions = { memtableEntries: 5, memtableBytes: 2048, maintainer: { stepEntries: 6 } }

/** What was there before, so that the start has tables and logs to read. */
function seeded(): Files {
  const disk = new SimulatedDisk()
  run(disk, new HandTier(disk, OPTIONS), 77, STEPS)
  return disk.files()
}

const BEFORE = seeded()

/** A run on what was there. @returns undefined if it could not even be started */
function life(disk: SimulatedDisk): { store: HandTier; history: History } | undefined {
  let store: HandTier
  try {
    store = new HandTier(disk, OPTIONS)
  } catch (error) {
    if (error instanceof HeddleError && CODES.includes(error.code)) return undefined
    throw error
  }
  return { store, history: run(disk, store, 5, STEPS, false) }
}

function found(disk: SimulatedDisk): string {
  const store = new HandTier(disk, OPTIONS)
  store.close()
  return contents(store.map)
}

function check(fault: Fault, expected: string): { fired: boolean; wrong: string } {
  const disk = SimulatedDisk.with(BEFORE, fault.at)
  const initial = disk.initial()
  disk.fault = fault
  const lived = life(disk)
  const fired = disk.faults > 0
  if (disk.openFiles !== 0) return { fired, wrong: `${disk.openFiles} files are open` }
  disk.fault = undefined
  if (lived === undefined) {
    const left = found(disk)
    return { fired, wrong: left === expected ? '' : `${left} is there instead of ${expected}` }
  }
  const { history } = lived
  const codes = history.refusals.map(({ code }) => code).filter((code) => !CODES.includes(code))
  if (codes.length > 0) return { fired, wrong: `errors of other kinds: ${codes.join()}` }
  const prefix = disk.journal.length
  const state = crashStates(disk.journal, prefix, random(fault.at), initial).next().value as Files
  const wrong = history.fault(found(SimulatedDisk.with(state)), prefix) || history.fault(found(disk), prefix)
  return { fired, wrong }
}

function calls(): number {
  const disk = SimulatedDisk.with(BEFORE)
  life(disk)
  return disk.calls.length
}

const ERRNOS: Errno[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EROFS']

describe('a fault at any call', () => {
  const kinds = ERRNOS.flatMap((errno) => [true, false].map((once) => [errno, once ? 'once' : 'for ever'] as const))
  it.each(kinds.map(([errno, times], index) => [errno, times, index] as const))(
    '%s %s',
    { timeout: 60_000 + 300_000 / STRIDE },
    (errno, times, index) => {
      const expected = found(SimulatedDisk.with(BEFORE))
      let fired = 0
      const count = calls()
      for (let at = 1 + (index % STRIDE); at <= count; at += STRIDE) {
        const sync = at % 2 === 0 ? 'kept' : 'dropped'
        const fault: Fault = { at, errno, once: times === 'once', sync }
        const result = check(fault, expected)
        if (result.fired) fired++
        if (result.wrong !== '') expect.fail(`${JSON.stringify(fault)}: ${result.wrong}`)
      }
      console.log(`${errno} ${times}: ${fired} faults of a tier at ${count} calls`)
      expect(fired).toBeGreaterThan(5)
    },
  )
})

describe('a disk that fails for ever', () => {
  it('makes the store read-only, and what was durable stays', () => {
    const disk = SimulatedDisk.with(BEFORE)
    const store = new HandTier(disk, OPTIONS)
    store.put('durable', 'yes')
    expect(store.sync()).toBe(true)
    disk.fault = { at: disk.calls.length + 1, errno: 'EIO', once: false }
    store.put('lost', 'perhaps')
    expect(store.sync()).toBe(false)
    expect(logState(store.tier.log)).toBe(LOG_FAILED)
    expect(() => store.put('more', 'no')).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    disk.fault = undefined
    expect(store.sync()).toBe(false)
    expect(new HandTier(disk, OPTIONS).map.get('durable')).toBe('yes')
  })

  it('makes it read-only when only tables cannot be written', () => {
    const disk = SimulatedDisk.with(BEFORE)
    const store = new HandTier(disk, OPTIONS)
    for (let i = 0; i < 6; i++) store.put(`key ${i}`, 'value')
    store.sync()
    store.maintainer.step()
    store.turn()
    disk.fault = { at: disk.calls.length + 1, errno: 'EIO', once: false }
    for (let i = 0; i < 10; i++) store.maintainer.step()
    disk.fault = undefined
    expect(store.tier.words.hasFailed()).toBe(true)
    store.turn()
    expect(() => store.put('more', 'no')).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    expect(contents(new HandTier(disk, OPTIONS).map)).toBe(contents(store.map))
  })
})
