/**
 * Every call to the disk of a mixed run fails, once and for ever, in every way it can.
 *
 * Whatever fails: the program gets a typed error or none, nothing is said to be durable that is not, nothing that was
 * acknowledged is lost, no file stays open, and a start after the fault finds a clean store.
 */
import { describe, expect, it } from 'vitest'
import { HeddleError } from '../../src/memory/error.ts'
import { crashStates } from '../support/crash-states.ts'
import { LittleStore } from '../support/little-store.ts'
import { fromEnv, random } from '../support/random.ts'
import { type Errno, type Fault, type Files, SimulatedDisk } from '../support/simulated-disk.ts'

const CODES = ['HEDDLE_IO', 'HEDDLE_NO_SPACE']
/** Crash states that are looked at after each fault. */
const CRASHES = fromEnv('FAULT_CRASHES', 3)

interface Outcome {
  issued: number
  acknowledged: number
  errors: HeddleError[]
}

/** Does it, and takes note of an error that may come. */
function attempt(outcome: Outcome, action: () => void): boolean {
  try {
    action()
    return true
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error
    outcome.errors.push(error)
    return false
  }
}

/** Two lives with everything in them, then what is left of both. */
function run(disk: SimulatedDisk): Outcome {
  const outcome: Outcome = { issued: 0, acknowledged: 0, errors: [] }
  for (let life = 0; life < 2; life++) {
    let store: LittleStore | undefined
    if (!attempt(outcome, () => void (store = new LittleStore(disk))) || store === undefined) continue
    const it: LittleStore = store
    const note = (): void => {
      outcome.issued = Math.max(outcome.issued, it.last)
      outcome.acknowledged = Math.max(outcome.acknowledged, it.acknowledged)
    }
    note()
    for (const step of [it.add, it.commit, it.add, it.rotate, it.add, it.commit, it.flush, it.add, it.flush, it.add]) {
      attempt(outcome, () => void step.call(it))
      note()
    }
    attempt(outcome, () => it.committer.prepare())
    attempt(outcome, () => it.add())
    attempt(outcome, () => void it.commit())
    note()
    it.close()
  }
  return outcome
}

/** What a start finds. @returns what is wrong, or '' */
function reopened(disk: SimulatedDisk, { issued, acknowledged }: Outcome): string {
  const store = new LittleStore(disk)
  store.close()
  if (store.last < acknowledged) return `${acknowledged} was acknowledged, ${store.last} is there`
  return store.last > issued ? `${store.last} is there, ${issued} was issued` : ''
}

function check(fault: Fault): { fired: boolean; wrong: string } {
  const disk = new SimulatedDisk(fault.at)
  disk.fault = fault
  const outcome = run(disk)
  const fired = disk.faults > 0
  const codes = outcome.errors.map(({ code }) => code).filter((code) => !CODES.includes(code))
  if (codes.length > 0) return { fired, wrong: `errors of other kinds: ${codes.join()}` }
  if (disk.openFiles !== 0) return { fired, wrong: `${disk.openFiles} files are open` }
  disk.fault = undefined
  let wrong = ''
  const states = crashStates(disk.journal, disk.journal.length, random(fault.at))
  for (let i = 0; i < CRASHES && wrong === ''; i++) {
    wrong = reopened(SimulatedDisk.with(states.next().value as Files), outcome)
  }
  if (wrong === '') wrong = reopened(disk, outcome)
  return { fired, wrong }
}

function calls(): number {
  const disk = new SimulatedDisk()
  run(disk)
  return disk.calls.length
}

const ERRNOS: Errno[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EROFS']

describe('a fault at any call', () => {
  it.each(ERRNOS.flatMap((errno) => [true, false].map((once) => [errno, once ? 'once' : 'for ever'] as const)))(
    '%s %s',
    (errno, times) => {
      let fired = 0
      const count = calls()
      for (let at = 1; at <= count; at++) {
        for (const sync of ['kept', 'dropped'] as const) {
          const fault: Fault = { at, errno, once: times === 'once', sync }
          const result = check(fault)
          if (result.fired) fired++
          if (result.wrong !== '') expect.fail(`${JSON.stringify(fault)}: ${result.wrong}`)
        }
      }
      console.log(`${errno} ${times}: ${fired} faults at ${count} calls`)
      expect(fired).toBeGreaterThan(20)
    },
  )
})

describe('a disk that is full', () => {
  it('is written to again when there is room', () => {
    const disk = new SimulatedDisk()
    const store = new LittleStore(disk)
    store.add()
    expect(store.commit()).toBe(true)
    store.add()
    disk.capacity = 0
    expect(store.committer.rotate()).toBe(false)
    expect(store.commit()).toBe(false)
    expect(() => store.add()).toThrow(expect.objectContaining({ code: 'HEDDLE_NO_SPACE' }))
    expect(store.acknowledged).toBe(1)
    disk.capacity = Infinity
    expect(store.commit()).toBe(true)
    expect(store.acknowledged).toBe(2)
    store.add()
    expect(store.commit()).toBe(true)
    store.close()
    expect(new LittleStore(disk).last).toBe(3)
  })

  it('keeps no files that hold nothing', () => {
    const disk = new SimulatedDisk()
    const store = new LittleStore(disk)
    disk.capacity = 500
    store.add()
    for (let i = 0; i < 5; i++) expect(store.commit()).toBe(false)
    expect(disk.list()).toEqual(['000001.manifest'])
    store.close()
  })
})

describe('a log that fails again and again', () => {
  it('is read-only, and says so to every writer', () => {
    const disk = new SimulatedDisk()
    const store = new LittleStore(disk)
    store.add()
    store.commit()
    store.add()
    disk.fault = { at: disk.calls.length + 1, errno: 'EIO', once: false }
    expect(store.commit()).toBe(false)
    for (let i = 0; i < 2; i++) expect(() => store.add()).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    disk.fault = undefined
    // A failed log stays so: what is in it is unknown.
    expect(store.commit()).toBe(false)
    expect(store.committer.rotate()).toBe(false)
    store.close()
    expect(new LittleStore(disk).last).toBeGreaterThanOrEqual(1)
  })

  it('goes on in another file after one failed sync, and asks the first never again', () => {
    const disk = new SimulatedDisk()
    const store = new LittleStore(disk)
    store.add()
    store.commit()
    store.add()
    // The write comes first, then the sync.
    disk.fault = { at: disk.calls.length + 3, errno: 'EIO', once: true, sync: 'dropped' }
    expect(store.commit()).toBe(true)
    expect(disk.faults).toBe(1)
    expect(disk.list().filter((name) => name.endsWith('.log'))).toHaveLength(2)
    const failed = disk.journal.findIndex((change) => change.kind === 'sync' && change.outcome !== 'good')
    const inode = (disk.journal[failed] as { inode: number }).inode
    expect(disk.journal.slice(failed + 1).some((change) => 'inode' in change && change.inode === inode)).toBe(false)
    store.close()
    const states = crashStates(disk.journal, disk.journal.length, random(1))
    for (let i = 0; i < 50; i++) {
      expect(new LittleStore(SimulatedDisk.with(states.next().value as Files)).last).toBe(2)
    }
  })
})
