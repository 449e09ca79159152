/** `open({ path })`: what is there after each kind of end, in a real directory, with the threads of the tier. */
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attach, open, type OpenOptions, type Store } from '../../../src/index.ts'
import type { Tier } from '../../../src/lsm/tier.ts'
import { MIB, assertWhole, pause } from '../../support/stores.ts'

let root = ''
const stores: Store[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-durable-'))
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

const small = {
  memtable: { entries: 100, bytes: 16_384 },
  tuning: { levelZeroTables: 2, levelOneBytes: 8192 },
} as const

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i++) await pause(10)
  expect(isSo()).toBe(true)
}

describe('what was set is there again', () => {
  it('after close', () => {
    const first = opened()
    first.set('a', '1')
    first.set('ü', 'ö')
    first.set('long', 'x'.repeat(100_000))
    first.set('gone', '1')
    first.delete('gone')
    first.batch([
      { type: 'set', key: 'b', value: '2' },
      { type: 'set', key: 'c', value: '3' },
    ])
    first.transaction((tx) => tx.set('d', `${tx.get('b')} and ${tx.get('c')}`))
    first.update('a', (old) => `${old} more`)
    first.setIfAbsent('e', 'five')
    first.compareAndSet('e', 'five', 'six')
    const entries = [...first]
    assertWhole(first)
    first.close()
    const again = opened()
    expect([...again]).toEqual(entries)
    expect(again.get('a')).toBe('1 more')
    assertWhole(again)
  })

  it('after flush, with flushes and compactions in the background', async () => {
    const first = opened(small)
    for (let round = 1; round < 6; round++) {
      for (let i = 0; i < 1000; i++) {
        first.set(`key ${i % 700}`, `value ${round} ${i}`)
        if (i % 3 === 0) first.delete(`key ${(i * 7) % 700}`)
      }
      await first.flush()
      await until(() => first.stats().flushes >= round)
    }
    await until(() => first.stats().compactions > 0)
    const entries = [...first]
    first.close()
    const again = opened(small)
    expect([...again]).toEqual(entries)
    expect(again.size).toBe(entries.length)
    expect(again.stats()).toMatchObject({ logState: 0 })
  })

  it('with custom codecs, and other values than text', () => {
    const first = open({ path: root, memory: 16 * MIB, keys: 'number', values: 'json' })
    first.set(1.5, { deep: ['ä', 1] })
    first.set(-3, null)
    first.close()
    const again = open({ path: root, memory: 16 * MIB, keys: 'number', values: 'json' })
    expect([...again]).toEqual([
      [-3, null],
      [1.5, { deep: ['ä', 1] }],
    ])
    again.close()
    expect(() => open({ path: root, memory: 16 * MIB })).toThrow(
      expect.objectContaining({ code: 'HEDDLE_INVALID_OPTION' }),
    )
  })

  it.each(['sync', 'group', 'none'] as const)('with durability %s', async (durability) => {
    const first = opened({ durability })
    for (let i = 0; i < 300; i++) first.set(`key ${i}`, `value ${i}`)
    first.flushSync()
    await until(() => first.stats().windowEntries === 300)
    first.close()
    expect(opened().size).toBe(300)
  })
})

describe('flush', () => {
  it('in a worker makes durable what it has set, as the files show', async () => {
    const store = opened({ groupMs: 10_000 })
    const worker = store.spawn(new URL('../../support/workers/flush-in-worker.ts', import.meta.url), {
      workerData: { count: 200 },
    })
    const [message] = (await once(worker, 'message')) as [unknown]
    expect(message).toBe('durable')
    const copy = mkdtempSync(join(tmpdir(), 'heddle-copy-'))
    try {
      cpSync(root, copy, { recursive: true })
      const again = opened({ path: copy })
      expect(again.size).toBe(201)
      expect(again.get('worker 199')).toBe('199')
      again.close()
    } finally {
      rmSync(copy, { recursive: true })
    }
  })

  it('is for what was done before it: a long group does not hold it up', () => {
    const store = opened({ groupMs: 10_000 })
    store.set('a', '1')
    store.flushSync()
    const from = performance.now()
    for (let i = 0; i < 5; i++) {
      store.set('a', String(i))
      store.flushSync()
    }
    expect(performance.now() - from).toBeLessThan(4000)
  })

  it('group bounds the loss without any flush', async () => {
    const store = opened({ groupMs: 20 })
    store.set('a', '1')
    await until(() => store.stats().logSyncs > 0)
    store.set('b', '2')
    const { log } = tierOf(store)
    const end = log.frontier()
    await until(() => log.isStable(end))
  })
})

describe('a closed store', () => {
  it('refuses writes of other threads, whose reads go on', () => {
    const store = opened()
    store.set('a', '1')
    const other = attach(store.handle)
    store.close()
    expect(other.get('a')).toBe('1')
    expect(() => other.set('a', '2')).toThrow(expect.objectContaining({ code: 'HEDDLE_CLOSED' }))
    expect(() => other.flushSync()).not.toThrow()
    other.close()
    expect(opened().get('a')).toBe('1')
  })
})

describe('the directory', () => {
  it('is for the owner only, and so are the files', () => {
    const path = join(root, 'made', 'here')
    const store = opened({ path })
    store.set('a', '1')
    store.flushSync()
    expect(statSync(path).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
  })

  it('is refused to a second opener, and free after close', () => {
    const first = opened()
    expect(() => opened()).toThrow(expect.objectContaining({ code: 'HEDDLE_LOCKED' }))
    first.close()
    expect(() => opened()).not.toThrow()
  })
})

describe('a dead background thread is replaced', () => {
  it.each(['log', 'maintainer'] as const)('%s', async (name) => {
    const store = opened(small)
    for (let death = 0; death < 4; death++) {
      for (let i = 0; i < 300; i++) store.set(`key ${i}`, `value ${death} ${i}`)
      // It has its claim, which only the reap gives back.
      await store.flush()
      await until(() => tierOf(store).words.isClaimed())
      await threadsOf(store).worker(name)?.terminate()
    }
    const { flushes } = store.stats()
    for (let i = 0; i < 300; i++) store.set(`key ${i}`, `last ${i}`)
    await store.flush()
    await until(() => store.stats().flushes > flushes)
    const entries = [...store]
    store.close()
    expect([...opened()]).toEqual(entries)
  })
})

interface Threads {
  worker(name: 'log' | 'maintainer'): { terminate(): Promise<number> } | null
}

/** Inside the store, as below. */
function tierOf(store: Store): Tier {
  return (store as unknown as { durability: { tier: Tier } }).durability.tier
}

/** Inside the store: nobody else gets at them. */
function threadsOf(store: Store): Threads {
  return (store as unknown as { durability: { opener: { threads: Threads } } }).durability.opener.threads
}

describe('options', () => {
  it.each([
    [{ durability: 'never' }, /durability is never/],
    [{ groupMs: 0 }, /groupMs is 0/],
    [{ memtable: { entries: 0 } }, /memtable.entries is 0/],
    [{ memtable: { count: 1 } }, /memtable.count is no option/],
    [{ preset: 'week9' }, /preset is week9/],
    [{ compression: 'zstd' }, /compression is zstd/],
    [{ logBufferBytes: 100_000 }, /logBufferBytes is 100000; give a power of two/],
    [{ compactEvery: 0 }, /compactEvery is 0/],
    [{ path: '' }, /path is /],
  ])('%j is refused', (options, message) => {
    expect(() => opened(options as OpenOptions<'utf8', 'utf8'>)).toThrow(message)
  })

  it('of durable stores need a path', () => {
    expect(() => open({ groupMs: 5 })).toThrow(/groupMs is for a durable store; give it a path/)
    expect(() => open({ tuning: { tableBytes: 5000 } })).toThrow(/tuning.tableBytes is for a durable store/)
  })

  it('flush of a store in memory does nothing', async () => {
    const store = open()
    await store.flush()
    store.flushSync()
    expect(store.stats()).toMatchObject({ flushes: 0, tables: 0, durability: 0 })
    store.close()
  })
})
