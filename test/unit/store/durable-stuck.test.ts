/** Those who wait for the log: none for ever, none for what was made long ago, none who is told too early that it is done. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { open } from '../../../src/index.ts'
import { LOG_NO_SPACE, LOG_WORKS, initLog } from '../../../src/lsm/log-committer.ts'
import { COMMITTER_WORDS, distance } from '../../../src/lsm/shared-log.ts'
import type { Tier } from '../../../src/lsm/tier.ts'
import { tierLayoutOf } from '../../../src/lsm/tier-layout.ts'
import { LogWorker } from '../../../src/lsm/tier-log.ts'
import { TierWords, type TierSettings } from '../../../src/lsm/tier-words.ts'
import { Durability } from '../../../src/store/durability.ts'
import { Engine } from '../../../src/store/engine.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { releaseRing, tieredArena } from '../../support/tiers.ts'
import { hookAtomics } from '../memory/atomics-hook.ts'
import { get, put } from '../tree/engines.ts'

/** An engine with a ring, which nobody writes to files. */
function engineWith(granules: number, durability: TierSettings['durability']): Engine {
  const arena = tieredArena(granules, { memory: MIB, maxThreads: 4, tuning: { ...tiny, pageIds: 64 } })
  const settings = { generation: 1, durability, groupMs: 2, memtableEntries: 1e6, memtableBytes: 1e9 }
  TierWords.init(arena.words, tierLayoutOf(arena), settings, 1)
  const engine = new Engine(arena, 1)
  engine.tree.create()
  return engine
}

/** Of a thread that does not wait for long. */
function durabilityOf(engine: Engine): Durability {
  return Object.assign(new Durability(engine, engine.tier!, null), { stuckMs: 300 })
}

describe('who waits with nobody there who writes the log', () => {
  it('is told so', async () => {
    const engine = engineWith(64, 'sync')
    const durability = durabilityOf(engine)
    put(engine, 'a', '1')
    expect(() => durability.after()).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    expect(() => durability.flushSync()).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    await expect(durability.flush()).rejects.toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    expect(get(engine, 'a')).toBe('1')
  })
})

describe('who waits for a log that has no room', () => {
  const waits = {
    after: async (durability: Durability) => durability.after(),
    flush: (durability: Durability) => durability.flush(),
    flushSync: async (durability: Durability) => durability.flushSync(),
  }

  it.each(Object.entries(waits))('is told so once it was tried, and not before long again: %s', async (_, wait) => {
    const engine = engineWith(64, 'sync')
    const durability = durabilityOf(engine)
    const { log } = engine.journal!
    initLog(log, 0, 0)
    log.claim(engine.me.label)
    const disk = new SimulatedDisk()
    disk.capacity = 0
    let now = 0
    let turns = 0
    const worker = new LogWorker(engine.tier!, disk, 65_536, () => (now += 1000))
    log.wake = () => {
      if (++turns > 50) throw new Error('it is not told')
      worker.turn()
    }
    put(engine, 'a', '1')
    await expect(wait(durability)).rejects.toThrow(expect.objectContaining({ code: 'HEDDLE_NO_SPACE' }))
    disk.capacity = Infinity
    turns = 0
    await durability.flush()
    expect(log.isStable(log.frontier())).toBe(true)
  })
})

describe('who waits for a log that has no room, and has some just when it is looked at', () => {
  const waits = {
    after: (durability: Durability) => durability.after(),
    flushSync: (durability: Durability) => durability.flushSync(),
  }

  it.each(Object.entries(waits))('is not told that it has failed: %s', (_, wait) => {
    const engine = engineWith(64, 'sync')
    const durability = durabilityOf(engine)
    const { log } = engine.journal!
    const { words } = engine.tier!
    put(engine, 'a', '1')
    const end = engine.journal!.lastEnd
    const stable = log.stable()
    // Whoever writes it has tried in vain, and then again, with room.
    log.wake = () => {
      words.serve(words.requests())
      log.announce()
    }
    let refused = 0
    for (let step = 1; step <= 40; step++) {
      engine.journal!.lastEnd = end
      log.setStable(stable)
      Atomics.store(log.words, log.at + COMMITTER_WORDS, LOG_NO_SPACE)
      const works = (call: number): void => {
        if (call !== step) return
        Atomics.store(log.words, log.at + COMMITTER_WORDS, LOG_WORKS)
        log.setStable(end)
      }
      try {
        hookAtomics(works, () => wait(durability))
      } catch (error) {
        refused++
        expect(error).toMatchObject({ code: 'HEDDLE_NO_SPACE' })
      }
    }
    expect(refused).toBeGreaterThan(0)
    expect(refused).toBeLessThan(40)
  })
})

describe('who has waited for a change', () => {
  it('does not wait for it again when nothing was changed, however much others have written since', () => {
    const engine = engineWith(64, 'sync')
    const durability = durabilityOf(engine)
    const { log } = engine.journal!
    put(engine, 'a', '1')
    const end = log.frontier()
    releaseRing(log)
    durability.after()
    log.setStable(log.endOf(end, 2 ** 30 + 1))
    durability.after()
    expect(distance(end, log.stable())).toBeGreaterThan(2 ** 30)
  })
})

describe('who waits for room', () => {
  /** With a log worker that has a turn whenever it is woken. */
  function workedOn(durability: TierSettings['durability']): Engine {
    const engine = engineWith(64, durability)
    const { log } = engine.journal!
    initLog(log, 0, 0)
    log.claim(engine.me.label)
    let now = 0
    const worker = new LogWorker(engine.tier!, new SimulatedDisk(), 65_536, () => (now += 1000))
    log.wake = () => void worker.turn()
    Object.assign(engine.journal!, { patience: 3, waitMs: 1 })
    return engine
  }

  const levels = ['none', 'group', 'sync'] as const

  it.each(levels)('gets it, though less than half of the log is in use: %s', (durability) => {
    const engine = workedOn(durability)
    for (let i = 0; i < 20; i++) put(engine, 'a', String(i))
    engine.tier!.words.request()
    engine.journal!.log.wake()
    for (let i = 0; i < 20; i++) put(engine, 'a', String(i))
    // It has to be in one piece, so what is left at the end of the ring is lost.
    expect(put(engine, 'b', 'x'.repeat(31 * 32 - 24))).toBe(true)
  })

  it.each(levels)('is refused in the end if a change of somebody else stays unfinished: %s', (durability) => {
    const engine = workedOn(durability)
    put(engine, 'a', '')
    engine.journal!.log.reserve(3, 1)
    const fill = (): void => {
      for (let i = 0; i < 64; i++) put(engine, 'a', String(i))
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
  })
})

describe('a log worker that is about to sleep', () => {
  it.each(['none', 'group', 'sync'] as const)('stays awake for who has just asked for a flush: %s', (durability) => {
    const engine = engineWith(64, durability)
    const { log } = engine.journal!
    const { words } = engine.tier!
    initLog(log, 0, 0)
    log.claim(engine.me.label)
    const worker = new LogWorker(engine.tier!, new SimulatedDisk(), 65_536, () => 1000)
    put(engine, 'a', '1')
    words.request()
    worker.turn()
    const waits = vi.spyOn(Atomics, 'wait')
    const milliseconds = worker.turn()
    // It does not say yet that it sleeps, so nobody rings.
    const request = words.request()
    worker.sleep(milliseconds)
    expect(waits).not.toHaveBeenCalled()
    worker.turn()
    expect(words.isServed(request)).toBe(true)
    worker.sleep(1)
    expect(waits).toHaveBeenCalled()
    waits.mockRestore()
  })
})

describe('close', () => {
  it('says that it is not all durable, if a thread is still in the middle of a change', () => {
    const root = mkdtempSync(join(tmpdir(), 'heddle-waits-'))
    try {
      const store = open({ path: root, memory: 16 * MIB, cleaner: false, groupMs: 10_000 })
      store.set('a', '1')
      store.flushSync()
      const { tier } = (store as unknown as { durability: { tier: Tier } }).durability
      tier.log.reserve(200, 1)
      store.set('b', '1')
      expect(() => store.close()).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
      const again = open({ path: root, memory: 16 * MIB, cleaner: false })
      expect([...again.keys()]).toEqual(['a'])
      again.close()
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
