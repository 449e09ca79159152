import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { HeddleError } from '../../../src/memory/error.ts'
import { LOG_FULL, LOG_SEALED, SharedLog, distance } from '../../../src/lsm/shared-log.ts'
import { random } from '../../support/random.ts'
import { abortAllOf } from '../../explore/engine/aborting.ts'

const TYPE = 16

function newLog(granules: number): SharedLog {
  return new SharedLog(new Int32Array(new SharedArrayBuffer(4 * SharedLog.wordsFor(granules))), 0, granules)
}

function commit(log: SharedLog, value: number, granules = 1): number {
  const position = log.reserve(1, granules)
  if (position < 0) return position
  const at = log.payloadAt(position)
  for (let i = 0; i < granules * 8 - 4; i++) log.words[at + i] = value
  log.complete(position, TYPE, (granules * 8 - 4) * 4)
  return position
}

/** Takes all that is finished, and gives the room out. */
function take(log: SharedLog): number[] {
  const values: number[] = []
  let position = log.stable()
  for (;;) {
    const granules = log.finishedAt(position)
    if (granules === 0) break
    if (log.isComplete(position)) {
      const at = log.payloadAt(position)
      const end = at + log.lengthAt(position) / 4
      for (let i = at; i < end; i++) expect(log.words[i]).toBe(log.words[at])
      expect(log.typeAt(position)).toBe(TYPE)
      values.push(log.words[at]!)
    }
    position = log.endOf(position, granules)
  }
  log.setStable(position)
  log.release(position)
  log.announce()
  return values
}

describe('the shared log', () => {
  it('gives slots in order, and takes them in that order', () => {
    const log = newLog(16)
    expect([commit(log, 1), commit(log, 2, 3), commit(log, 3)]).toEqual([0, 1, 4])
    expect(log.frontier()).toBe(5)
    expect(log.isStable(5)).toBe(false)
    expect(take(log)).toEqual([1, 2, 3])
    expect(log.isStable(5)).toBe(true)
    expect(log.isStable(6)).toBe(false)
  })

  it('is held up by a slot that is not finished, and goes on when it is', () => {
    const log = newLog(16)
    commit(log, 1)
    const open = log.reserve(2, 1)
    commit(log, 3)
    expect(take(log)).toEqual([1])
    log.abort(open)
    expect(take(log)).toEqual([3])
  })

  it('refuses when it is full, and leaves one granule free', () => {
    const log = newLog(8)
    for (let i = 0; i < 7; i++) expect(commit(log, i)).toBe(i)
    expect(commit(log, 7)).toBe(LOG_FULL)
    expect(take(log)).toHaveLength(7)
    expect(commit(log, 7)).toBe(7)
  })

  it('pads the end of the ring, so that a slot lies in one piece', () => {
    const log = newLog(8)
    for (let i = 0; i < 3; i++) commit(log, i, 2)
    take(log)
    expect(commit(log, 9, 4)).toBe(8)
    expect(log.payloadAt(8)).toBe(log.payloadAt(0))
    expect(take(log)).toEqual([9])
  })

  it('refuses slots that could never fit', () => {
    const log = newLog(8)
    expect(log.maxSlot).toBe(4)
    expect(() => log.reserve(1, 5)).toThrow(HeddleError)
    expect(() => log.reserve(1, 0)).toThrow(HeddleError)
    for (let round = 0; round < 20; round++) {
      commit(log, round, 1 + (round % 3))
      take(log)
      expect(commit(log, round, 4)).toBeGreaterThanOrEqual(0)
      take(log)
    }
  })

  describe('when a thread sleeps between its look and its CAS for as many laps as can be told apart', () => {
    const LAPS = 1024

    /** Reserves, and does something before the CAS. */
    function reserveSlowly(log: SharedLog, meanwhile: () => void): number {
      const { compareExchange } = Atomics
      Atomics.compareExchange = ((...given: Parameters<typeof compareExchange>) => {
        Atomics.compareExchange = compareExchange
        meanwhile()
        return compareExchange(...given)
      }) as typeof compareExchange
      try {
        return log.reserve(2, 1)
      } finally {
        Atomics.compareExchange = compareExchange
      }
    }

    it.each([LAPS - 1, LAPS, 2 * LAPS])('it gets a slot that is not said to be durable already: %i laps', (laps) => {
      const log = newLog(4)
      const position = reserveSlowly(log, () => {
        for (let i = 0; i < 4 * laps; i++) {
          expect(commit(log, i)).toBe(i)
          take(log)
        }
      })
      expect(log.isStable(log.endOf(position, 1))).toBe(false)
      log.words[log.payloadAt(position)] = 77
      log.complete(position, TYPE, 4)
      expect(take(log)).toEqual([77])
    })

    it('it takes no room that is not there', () => {
      const log = newLog(4)
      const position = reserveSlowly(log, () => {
        for (let i = 0; i < 4 * LAPS; i++) {
          if (i <= 4 * LAPS - 3) take(log)
          expect(commit(log, i)).toBe(i)
        }
      })
      expect(position).toBe(LOG_FULL)
      expect(take(log)).toEqual([4093, 4094, 4095])
      for (let i = 0; i < 20; i++) {
        expect(commit(log, i)).toBeGreaterThan(4095)
        expect(take(log)).toEqual([i])
      }
    })
  })

  it('completes and aborts a slot once', () => {
    const log = newLog(8)
    const position = log.reserve(1, 1)
    log.complete(position, TYPE, 0)
    expect(() => log.complete(position, TYPE, 0)).toThrow(HeddleError)
    expect(() => log.abort(position)).toThrow(HeddleError)
  })

  it('is sealed and unsealed, full or not, in any lap', () => {
    const log = newLog(4)
    for (let round = 0; round < 10; round++) {
      const end = log.seal()
      expect(log.seal()).toBe(end)
      expect(log.isSealed()).toBe(true)
      expect(commit(log, 1)).toBe(LOG_SEALED)
      expect(take(log).length).toBe(round === 0 ? 0 : 1 + (round % 3))
      log.unseal()
      log.unseal()
      expect(log.isSealed()).toBe(false)
      for (let i = 0; i < 1 + ((round + 1) % 3); i++) expect(commit(log, 1)).toBeGreaterThanOrEqual(0)
    }
    while (commit(log, 1) >= 0);
    expect(log.seal()).toBe(log.frontier())
    expect(commit(log, 1)).toBe(LOG_SEALED)
  })

  it('gives up the slots of a dead participant, and of no other', () => {
    const log = newLog(16)
    log.reserve(5, 2)
    const other = log.reserve(6, 1)
    log.reserve(5, 1)
    expect(abortAllOf(log, 5)).toBe(2)
    expect(abortAllOf(log, 5)).toBe(0)
    log.complete(other, TYPE, 0)
    take(log)
    expect(log.stable()).toBe(4)
  })

  it('knows 256 participants apart', () => {
    const log = newLog(1024)
    for (let owner = 0; owner < 256; owner++) log.reserve(owner, 1)
    expect(abortAllOf(log, 255)).toBe(1)
    expect(abortAllOf(log, 0)).toBe(1)
    expect(log.finishedAt(255)).toBe(1)
    expect(log.finishedAt(254)).toBe(0)
  })

  it('survives a cursor that was left behind by a whole lap', () => {
    const log = newLog(4)
    // As a thread that died between the header and the cursor leaves it.
    log.reserve(1, 1)
    log.words[log.at] = 0
    abortAllOf(log, 1)
    take(log)
    for (let i = 0; i < 3; i++) expect(commit(log, i)).toBe(1 + i)
    expect(take(log)).toEqual([0, 1, 2])
  })

  it('goes round many laps and past the end of all positions', () => {
    const log = newLog(8)
    const rng = random(3)
    // Positions have 31 bits: begin shortly before their end, in an empty log of the right lap.
    const start = 2 ** 31 - 4000
    for (let i = 0; i < 8; i++) log.words[log.at + 192 + i] = ((start >>> 3) & 0x3ff) << 22
    for (const word of [0, 32, 64]) log.words[log.at + word] = start
    let next = 0
    let taken = 0
    for (let i = 0; i < 6000; i++) {
      if (rng.chance(60)) {
        if (commit(log, next, 1 + rng.int(4)) >= 0) next++
      } else for (const value of take(log)) expect(value).toBe(taken++)
    }
    for (const value of take(log)) expect(value).toBe(taken++)
    expect(taken).toBe(next)
    expect(next).toBeGreaterThan(1000)
    expect(log.stable()).toBeLessThan(2 ** 31 - 4000)
  })

  it('has one consumer at a time', () => {
    const log = newLog(8)
    expect(log.claim(0)).toBe(true)
    expect(log.claim(1)).toBe(false)
    expect(log.unclaim(1)).toBe(false)
    expect(log.unclaim(0)).toBe(true)
    expect(log.claim(1)).toBe(true)
  })

  it('measures distances over the end of all positions', () => {
    expect(distance(2 ** 31 - 1, 2)).toBe(3)
    expect(SharedLog.granulesFor(0)).toBe(1)
    expect(SharedLog.granulesFor(16)).toBe(1)
    expect(SharedLog.granulesFor(17)).toBe(2)
  })
})

describe('workers on one log', () => {
  it('commit all, each in its own order, through a small ring', async () => {
    const WRITERS = 3
    const EACH = 4000
    const log = newLog(64)
    const url = new URL('../../support/workers/log-writer.ts', import.meta.url)
    const loader = new URL('../../support/register-tsx.mjs', import.meta.url).href
    const workers = Array.from({ length: WRITERS }, (_, owner) => {
      const workerData = { buffer: log.words.buffer, granules: log.granules, owner, count: EACH }
      return new Worker(url, { workerData, execArgv: ['--import', loader] })
    })
    const ended = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))
    const next = Array.from({ length: WRITERS }, () => 0)
    let total = 0
    while (total < WRITERS * EACH) {
      let position = log.stable()
      const from = position
      for (let granules = log.finishedAt(position); granules !== 0; granules = log.finishedAt(position)) {
        if (log.isComplete(position)) {
          const at = log.payloadAt(position)
          const [owner, value] = [log.words[at]!, log.words[at + 1]!]
          expect(value).toBe(next[owner]!++)
          total++
        }
        position = log.endOf(position, granules)
      }
      if (position === from) {
        log.sleep(position, 20, () => false)
        continue
      }
      log.setStable(position)
      log.release(position)
      log.announce()
    }
    await ended
    expect(next).toEqual(Array.from({ length: WRITERS }, () => EACH))
  })
})

/** As `take`, without a look at every word. @returns slots with content */
function drain(log: SharedLog): number {
  let slots = 0
  let position = log.stable()
  for (let granules = log.finishedAt(position); granules > 0; granules = log.finishedAt(position)) {
    if (log.isComplete(position)) slots++
    position = log.endOf(position, granules)
  }
  log.setStable(position)
  log.release(position)
  return slots
}

function commitLong(log: SharedLog, granules: number): number {
  const position = log.reserve(1, granules)
  if (position >= 0) log.complete(position, TYPE, granules * 32 - 16)
  return position
}

describe('long slots', () => {
  it('are counted in units, and the padding before them goes in pieces', () => {
    const log = newLog(16384)
    const rng = random(12)
    let end = 0
    for (let round = 0; round < 60; round++) {
      const granules = 1 + rng.int(rng.int(2) === 0 ? log.maxSlot - 1 : 3000)
      const position = commitLong(log, granules)
      expect(position).toBeGreaterThanOrEqual(0)
      // Padding may come before it, up to the ring's end.
      expect([end, Math.ceil(end / 16384) * 16384]).toContain(position)
      end = log.endOf(position, SharedLog.rounded(granules))
      expect(log.frontier()).toBe(end)
      expect(SharedLog.rounded(granules) - granules).toBeLessThan(granules < 2048 ? 1 : 512)
      expect(drain(log)).toBe(1)
      expect(log.stable()).toBe(end)
    }
  })

  it('fit if there is said to be room', () => {
    const log = newLog(8192)
    const rng = random(3)
    let refused = 0
    for (let round = 0; round < 300; round++) {
      const granules = 1 + rng.int(log.maxSlot)
      const hasRoom = log.hasRoom(granules)
      expect(commitLong(log, granules) >= 0).toBe(hasRoom)
      if (!hasRoom && ++refused > 0) drain(log)
    }
    expect(refused).toBeGreaterThan(10)
  })

  it('are at most half the ring', () => {
    expect(newLog(1 << 21).maxSlot).toBe(2047 * 512)
    expect(newLog(64).maxSlot).toBe(32)
  })
})

describe('a slot that others settle', () => {
  it('is finished once, and only in its own lap', () => {
    const log = newLog(4)
    const position = log.reserve(3, 2)
    expect(log.reservedBy(3)).toBe(position)
    expect(log.reservedBy(4)).toBe(-1)
    log.describe(position, TYPE, 4)
    expect(log.settle(position, true)).toBe(true)
    expect(log.settle(position, false)).toBe(false)
    expect(log.isComplete(position)).toBe(true)
    expect(log.reservedBy(3)).toBe(-1)
    drain(log)
    // Where it was, a lap later.
    log.reserve(4, 2)
    abortAllOf(log, 4)
    drain(log)
    expect(log.reserve(3, 2)).toBe(position + 4)
    expect(log.settle(position, true)).toBe(false)
    expect(log.settle(log.reservedBy(3), false)).toBe(true)
    expect(log.reservedBy(3)).toBe(-1)
  })
})
