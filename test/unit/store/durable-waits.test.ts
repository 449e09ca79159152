/** Waits for the log of a durable store: each comes to an end, and none says that something is durable which is not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { open, type OpenOptions, type Store } from '../../../src/index.ts'
import type { Tier } from '../../../src/lsm/tier.ts'
import { MIB, pause } from '../../support/stores.ts'

let root = ''
const stores: Store[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-waits-'))
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  rmSync(root, { recursive: true })
})

function opened(options: OpenOptions<'utf8', 'utf8'> = {}): Store {
  const store = open<'utf8', 'utf8'>({ path: root, memory: 16 * MIB, cleaner: false, ...options })
  stores.push(store)
  return store
}

/** Nobody else gets at what is inside the store. */
interface Inside {
  engine: { journal: { lastEnd: number } }
  durability: {
    tier: Tier
    stuckMs: number
    opener: { threads: { worker(name: 'log'): { terminate(): Promise<number> } | null } }
  }
}

function inside(store: Store): Inside {
  return store as unknown as Inside
}

describe('a change that another thread has under way', () => {
  it.each(['none', 'group', 'sync'] as const)('is waited for by flush, with durability %s', async (durability) => {
    const store = opened({ durability })
    store.set('a', '1')
    store.flushSync()
    const { log, me } = inside(store).durability.tier
    const position = log.reserve(me.slot, 1)
    let flushed = false
    const flush = store.flush().then(() => (flushed = true))
    await pause(200)
    expect(flushed).toBe(false)
    log.abort(position)
    await Promise.race([flush, pause(5000)])
    expect(flushed).toBe(true)
  })

  it('and never ends does not have close say that what comes after it is durable', () => {
    const store = opened({ groupMs: 10_000 })
    const { log, me } = inside(store).durability.tier
    store.set('a', '1')
    store.flushSync()
    log.reserve(me.slot, 1)
    store.set('b', '2')
    expect(() => store.close()).toThrow(/a thread has left a change unfinished/)
    expect([...opened()]).toEqual([['a', '1']])
  })

  it('and never ends, at the very end, is nothing that close has to tell', () => {
    const store = opened({ groupMs: 10_000 })
    const { log, me } = inside(store).durability.tier
    store.set('a', '1')
    log.reserve(me.slot, 1)
    store.close()
    expect([...opened()]).toEqual([['a', '1']])
  })
})

describe('a log worker that dies while its opener does not look', () => {
  function bereft(durability: 'sync' | 'group'): Store {
    const store = opened({ durability })
    store.set('a', '1')
    store.flushSync()
    void inside(store).durability.opener.threads.worker('log')!.terminate()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
    return store
  }

  /** As where the kernel does not tell which threads there are. */
  function unheard(store: Store): Store {
    inside(store).durability.tier.words.setKernelThread(0, 0)
    inside(store).durability.stuckMs = 400
    return store
  }

  describe.runIf(process.platform === 'linux')('is replaced, since the kernel tells,', () => {
    it('by a write that waits', () => {
      const store = bereft('sync')
      store.set('b', '2')
      store.set('c', '3')
      store.close()
      expect(opened().size).toBe(3)
    })

    it('by flushSync', () => {
      const store = bereft('group')
      store.set('b', '2')
      store.flushSync()
      expect(inside(store).durability.tier.log.stable()).toBe(inside(store).durability.tier.log.frontier())
      store.close()
      expect(opened().size).toBe(2)
    })

    it('by close, at once', () => {
      const store = bereft('group')
      store.set('b', '2')
      const from = performance.now()
      store.close()
      expect(performance.now() - from).toBeLessThan(8000)
      expect(opened().size).toBe(2)
    })
  })

  it('does not hold a write up for ever', async () => {
    const store = unheard(bereft('sync'))
    expect(() => store.set('b', '2')).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    inside(store).durability.stuckMs = 30_000
    await store.flush()
    store.set('c', '3')
    store.close()
    expect(opened().size).toBe(3)
  })

  it('does not hold flushSync up for ever', async () => {
    const store = unheard(bereft('group'))
    store.set('b', '2')
    expect(() => store.flushSync()).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
    inside(store).durability.stuckMs = 30_000
    await store.flush()
    store.flushSync()
    store.close()
    expect(opened().size).toBe(2)
  })
})

describe('a call that changes nothing', () => {
  it('does not wait for the change before it again', () => {
    const store = opened({ durability: 'sync' })
    store.set('a', '1')
    expect(inside(store).engine.journal.lastEnd).toBe(-1)
    expect(store.delete('absent')).toBe(false)
  })
})
