import { beforeEach, describe, expect, it } from 'vitest'
import {
  LOG_FAILED,
  LOG_NO_SPACE,
  LOG_WORKS,
  LogCommitter,
  initLog,
  logError,
  logFile,
  logState,
  lsnAt,
} from '../../../src/lsm/log-committer.ts'
import { chainOf, readLogHead, replayChain } from '../../../src/lsm/log-chain.ts'
import { COMMITTER_WORDS, SharedLog } from '../../../src/lsm/shared-log.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'
import { abortAllOf } from '../../explore/engine/aborting.ts'

const GENERATION = 5
const BASE = 2 ** 33 + 7

let disk: SimulatedDisk
let log: SharedLog
let nextId: number

beforeEach(() => {
  disk = new SimulatedDisk()
  log = new SharedLog(new Int32Array(SharedLog.wordsFor(64)), 0, 64)
  nextId = 1
  initLog(log, BASE, 0)
  log.claim(1)
})

function newCommitter(): LogCommitter {
  const bytes = new Uint8Array(log.words.buffer)
  return new LogCommitter(log, { disk, generation: GENERATION, nextFileId: () => nextId++, fileBytes: 512, bytes })
}

function commit(value: number): number {
  const position = log.reserve(1, 1)
  log.words[log.payloadAt(position)] = value
  log.complete(position, 20, 4)
  return log.endOf(position, 1)
}

function replayed(): number[] {
  const values: number[] = []
  const ids = disk.list().map((name) => Number.parseInt(name, 10))
  const heads = ids.map((id) => readLogHead(disk, id, GENERATION))
  replayChain(disk, chainOf(heads, BASE), GENERATION, BASE, (_type, _lsn, bytes, at) => values.push(bytes[at]!))
  return values
}

function syncs(): number {
  return disk.journal.filter(({ kind }) => kind === 'sync').length
}

describe('a round', () => {
  it('makes durable what is finished, by one sync', () => {
    const committer = newCommitter()
    committer.rotate()
    const before = syncs()
    const ends = [commit(1), commit(2), commit(3)]
    const heard = log.listenProgress()
    expect(committer.round()).toBe(3)
    expect(syncs() - before).toBe(1)
    expect(log.listenProgress()).not.toBe(heard)
    expect(ends.every((end) => log.isStable(end))).toBe(true)
    expect(committer.round()).toBe(0)
    expect(syncs() - before).toBe(1)
    expect(replayed()).toEqual([1, 2, 3])
  })

  it('stops at a slot that is not finished', () => {
    const committer = newCommitter()
    commit(1)
    const open = log.reserve(2, 1)
    const end = commit(3)
    expect(committer.round()).toBe(1)
    expect(log.isStable(end)).toBe(false)
    expect(abortAllOf(log, 2)).toBe(1)
    expect(committer.round()).toBe(2)
    expect(log.isStable(open)).toBe(true)
    expect(replayed()).toEqual([1, 3])
  })

  it('without a sync hands it to the system, and nothing is stable', () => {
    const committer = newCommitter()
    const end = commit(1)
    expect(committer.round(false)).toBe(0)
    expect(log.isStable(end)).toBe(false)
    expect(replayed()).toEqual([1])
    expect(committer.round()).toBe(1)
    expect(log.isStable(end)).toBe(true)
  })

  it('writes SYNCING before each sync, and clears it after', () => {
    const committer = newCommitter()
    const seen: number[] = []
    const create = disk.create.bind(disk)
    const spy = (file: { sync(): void }): void => {
      const sync = file.sync.bind(file)
      file.sync = () => {
        seen.push(log.words[COMMITTER_WORDS + 1]!)
        sync()
      }
    }
    const open = disk.open.bind(disk)
    disk.open = (name, access) => {
      const file = open(name, access)
      spy(file)
      return file
    }
    disk.create = create
    commit(1)
    committer.round()
    commit(2)
    committer.round()
    expect(seen).toEqual([1, 1])
    expect(log.words[COMMITTER_WORDS + 1]).toBe(0)
  })

  it('says in which file and at which LSN a position is', () => {
    const committer = newCommitter()
    commit(1)
    committer.round()
    expect(logFile(log)).toEqual({ id: 1, previous: 0, position: 0, lsn: BASE, synced: true })
    commit(2)
    committer.round()
    expect(committer.rotate()).toBe(true)
    expect(logFile(log)).toEqual({ id: 2, previous: 1, position: 2, lsn: BASE + 2, synced: true })
    expect(lsnAt(log, 5)).toBe(BASE + 5)
  })

  it('uses a file that was prepared', () => {
    const committer = newCommitter()
    committer.prepare()
    committer.prepare()
    expect(nextId).toBe(2)
    const creates = disk.calls.filter((call) => call === 'create').length
    committer.rotate()
    expect(disk.calls.filter((call) => call === 'create')).toHaveLength(creates)
    committer.prepare()
    committer.close()
    expect(disk.list()).toEqual(['000001.log'])
    expect(disk.openFiles).toBe(0)
  })
})

describe('a failure', () => {
  const failNext = (calls: number, once: boolean): void => {
    disk.fault = { at: disk.calls.length + calls, errno: 'EIO', once, sync: 'dropped' }
  }

  it('of a sync has everything since written to a new file', () => {
    const committer = newCommitter()
    commit(1)
    committer.round()
    commit(2)
    const end = commit(3)
    // MARK, slots, sync.
    failNext(3, true)
    expect(committer.round()).toBe(0)
    expect(disk.faults).toBe(1)
    expect(logState(log)).toBe(LOG_WORKS)
    expect(log.isStable(end)).toBe(false)
    expect(committer.round()).toBe(2)
    expect(logFile(log)).toMatchObject({ id: 2, previous: 1, lsn: BASE + 1 })
    expect(replayed()).toEqual([1, 2, 3])
  })

  it('that comes again makes the log fail, and wakes those who wait', () => {
    const committer = newCommitter()
    commit(1)
    failNext(1, false)
    committer.round()
    const heard = log.listenProgress()
    committer.round()
    expect(logState(log)).toBe(LOG_FAILED)
    expect(log.listenProgress()).not.toBe(heard)
    expect(logError(LOG_FAILED).code).toBe('HEDDLE_IO')
    disk.fault = undefined
    expect(committer.round()).toBe(0)
    expect(committer.rotate()).toBe(false)
  })

  it('for want of space passes', () => {
    const committer = newCommitter()
    const end = commit(1)
    disk.capacity = 100
    for (let i = 0; i < 5; i++) expect(committer.round()).toBe(0)
    expect(logState(log)).toBe(LOG_NO_SPACE)
    expect(logError(LOG_NO_SPACE).code).toBe('HEDDLE_NO_SPACE')
    expect(disk.list()).toEqual([])
    disk.capacity = Infinity
    expect(committer.round()).toBe(1)
    expect(logState(log)).toBe(LOG_WORKS)
    expect(log.isStable(end)).toBe(true)
  })
})

describe('a consumer that dies', () => {
  it('is followed by one that begins a new file at what is stable', () => {
    const first = newCommitter()
    commit(1)
    first.round()
    commit(2)
    first.round(false)
    log.words[COMMITTER_WORDS + 1] = 1
    expect(log.unclaim(1)).toBe(true)
    expect(log.claim(2)).toBe(true)
    const second = newCommitter()
    commit(3)
    expect(second.round()).toBe(2)
    expect(logFile(log)).toMatchObject({ id: 2, previous: 1, lsn: BASE + 1 })
    expect(replayed()).toEqual([1, 2, 3])
  })

  it('before it gave out the room leaves that to the next', () => {
    newCommitter()
    for (let i = 0; i < 63; i++) commit(i)
    log.setStable(63)
    expect(log.reserve(1, 1)).toBeLessThan(0)
    log.unclaim(1)
    log.claim(2)
    newCommitter()
    expect(log.reserve(1, 1)).toBe(63)
  })
})
