import { describe, expect, it } from 'vitest'
import { attach, type OpenOptions, type Snapshot, type Store } from '../../../src/index.ts'
import { random } from '../../support/random.ts'
import { refused } from '../../support/refusals.ts'
import { assertWhole, MIB, openStore, pause, settle, tiny, withStore } from '../../support/stores.ts'

type Text = Store<string, string>

function pairs(snapshot: Snapshot<string, string>, reverse = false): [string, string][] {
  return [...snapshot.entries({ reverse })]
}

const sorted = (map: Map<string, string>): [string, string][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

describe('a snapshot', () => {
  it('sees what was there, whatever is written afterwards', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      for (const key of 'abcdefgh') store.set(key, '1')
      store.delete('d')
      const snapshot = store.snapshot()
      const before = pairs(snapshot)
      store.set('a', '2')
      store.set('a', '3')
      store.delete('b')
      store.delete('c')
      store.set('c', '4')
      store.set('d', '5')
      store.set('x', '6')
      store.update('e', () => undefined)
      expect(store.compareAndSet('f', '1', '7')).toBe(true)
      expect(pairs(snapshot)).toEqual(before)
      expect(before).toEqual([...'abcefgh'].map((key) => [key, '1']))
      expect(pairs(snapshot, true)).toEqual(before.toReversed())
      expect([...snapshot.keys({ gt: 'b', lte: 'f' })]).toEqual(['c', 'e', 'f'])
      expect([...snapshot.values({ limit: 2 })]).toEqual(['1', '1'])
      expect([...snapshot]).toEqual(before)
      expect(snapshot.size).toBe(7)
      expect([snapshot.get('b'), snapshot.get('d'), snapshot.get('x')]).toEqual(['1', undefined, undefined])
      expect([snapshot.has('b'), snapshot.has('d'), snapshot.has('x')]).toEqual([true, false, false])
      expect([...store.keys()].join('')).toBe('acdfghx')
      expect(store.size).toBe(7)
      snapshot.close()
      snapshot.close()
      refused(() => snapshot.get('a'), 'HEDDLE_CLOSED')
      refused(() => pairs(snapshot), 'HEDDLE_CLOSED')
    })
  })

  it('of an empty store stays empty', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      const snapshot = store.snapshot()
      for (let i = 0; i < 100; i++) store.set(`${i}`, 'x')
      expect(pairs(snapshot)).toEqual([])
      store.clear()
      expect(snapshot.size).toBe(0)
      snapshot.close()
    })
  })

  it('keeps a deleted key until it is closed; then nothing is left of it', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      store.set('a', '1')
      const first = store.snapshot()
      store.set('a', '2')
      const second = store.snapshot()
      expect(store.delete('a')).toBe(true)
      expect(store.delete('a')).toBe(false)
      expect([store.get('a'), first.get('a'), second.get('a')]).toEqual([undefined, '1', '2'])
      expect(store.setIfAbsent('a', '3')).toBeUndefined()
      expect([store.get('a'), first.get('a'), second.get('a')]).toEqual(['3', '1', '2'])
      expect(store.stats().snapshotWords).toBeGreaterThan(0)
      expect(store.stats().snapshotsLive).toBe(2)
      first.close()
      second.close()
      store.drain()
      expect(store.stats().snapshotWords).toBe(0)
      expect(store.verify().kept).toBe(0)
    })
  })

  it('is found again by its handle, and neither needs the other', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      const other = attach<string, string>(store.handle)
      store.set('a', '1')
      const snapshot = store.snapshot()
      store.set('a', '2')
      const handle = structuredClone(snapshot.handle)
      const same = other.attachSnapshot(handle)
      snapshot.close()
      store.set('a', '3')
      expect(same.get('a')).toBe('1')
      refused(() => other.attachSnapshot(handle), 'HEDDLE_SNAPSHOT_EXPIRED')
      same.close()
      store.drain()
      expect(store.stats().snapshotWords).toBe(0)
      other.close()
    })
  })

  it('of another store, or what is none, is refused', () => {
    const one = openStore()
    const two = openStore()
    const snapshot = one.snapshot()
    refused(() => two.attachSnapshot(snapshot.handle), 'HEDDLE_BAD_HANDLE')
    refused(() => one.attachSnapshot({} as never), 'HEDDLE_BAD_HANDLE')
    refused(() => one.attachSnapshot(undefined as never), 'HEDDLE_BAD_HANDLE')
    one.close()
    refused(() => snapshot.get('a'), 'HEDDLE_CLOSED')
    snapshot.close()
    two.close()
  })

  it('ends with its store', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      const other = attach<string, string>(store.handle)
      store.set('a', '1')
      const snapshot = other.snapshot()
      other.close()
      expect(store.stats().snapshotsLive).toBe(0)
      const mine = store.snapshot()
      snapshot.close()
      expect(store.stats().snapshotsLive).toBe(1)
      mine.close()
    })
  })

  it('needs one of a limited number of places', () => {
    withStore<string, string>({ tuning: { ...tiny, maxSnapshots: 3 } }, (store) => {
      const taken = [store.snapshot(), store.snapshot(), store.snapshot()]
      refused(() => store.snapshot(), 'HEDDLE_TOO_MANY_SNAPSHOTS')
      taken[1]!.close()
      store.snapshot().close()
      for (const snapshot of taken) snapshot.close()
    })
  })

  it('leaves an iterator in its middle to nobody', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      for (let i = 0; i < 200; i++) store.set(`${i + 1000}`, 'x')
      const snapshot = store.snapshot()
      const iterator = snapshot.keys()
      for (let i = 0; i < 40; i++) iterator.next()
      snapshot.close()
      expect(() => [...iterator]).toThrow(expect.objectContaining({ code: 'HEDDLE_CLOSED' }) as Error)
    })
  })
})

const settings: Record<string, OpenOptions> = {
  'ordinary clocks': { tuning: tiny },
  'ordinary clocks, freed memory poisoned': { tuning: { ...tiny, paranoid: true, inlineBytes: 16 } },
  'clocks of 5 bits': { tuning: { ...tiny, clockBits: 5 } },
}

describe.each(Object.entries(settings))('snapshots among random writes, with %s', (_, options) => {
  it.each([1, 2, 3])('each see their own moment (seed %i)', (seed) => {
    withStore<string, string>(options, (store) => randomLife(store, seed, 6000))
  })
})

interface Taken {
  readonly snapshot: Snapshot<string, string>
  readonly map: Map<string, string>
}

/** Ended by the clock: a few bits leave it no more than some turns. */
function isExpired(act: () => void): boolean {
  try {
    act()
    return false
  } catch (error) {
    if ((error as { code?: string }).code === 'HEDDLE_SNAPSHOT_EXPIRED') return true
    throw error
  }
}

function randomLife(store: Text, seed: number, steps: number): void {
  const rng = random(seed)
  const map = new Map<string, string>()
  let taken: Taken[] = []
  for (let i = 0; i < steps; i++) {
    const key = `k${rng.int(60)}`
    const kind = rng.int(20)
    if (kind < 9) {
      const value = `${i}${'x'.repeat(rng.int(40))}`
      store.set(key, value)
      map.set(key, value)
    } else if (kind < 15) expect(store.delete(key)).toBe(map.delete(key))
    else if (kind < 16 && taken.length < 5) taken.push({ snapshot: store.snapshot(), map: new Map(map) })
    else if (kind < 17 && taken.length > 0) taken.splice(rng.int(taken.length), 1)[0]!.snapshot.close()
    else if (kind < 18 && i % 50 === 0) store.drain()
    else {
      taken = taken.filter(({ snapshot, map: seen }) => {
        const expired = isExpired(() => {
          expect(snapshot.get(key)).toBe(seen.get(key))
          if (i % 7 === 0) expect([...snapshot]).toEqual(sorted(seen))
        })
        if (expired) snapshot.close()
        return !expired
      })
    }
    if (i % 500 === 0) {
      expect([...store]).toEqual(sorted(map))
      const { problems } = store.verify()
      expect(problems).toEqual([])
    }
  }
  for (const { snapshot } of taken) snapshot.close()
  expect([...store]).toEqual(sorted(map))
}

it('the clock may wrap a thousand times', () => {
  withStore<string, string>({ tuning: { ...tiny, clockBits: 5 } }, (store) => {
    const map = new Map<string, string>()
    let taken: Taken[] = []
    let read = 0
    for (let i = 0; i < 40_000; i++) {
      const key = `k${(i * 7) % 20}`
      if (i % 3 === 0) expect(store.delete(key)).toBe(map.delete(key))
      else {
        store.set(key, `${i}`)
        map.set(key, `${i}`)
      }
      const [oldest] = taken
      if (oldest !== undefined && taken.length > i % 4) {
        read++
        expect(oldest.snapshot.get(key)).toBe(oldest.map.get(key))
        if (i % 16 === 0) expect([...oldest.snapshot]).toEqual(sorted(oldest.map))
        oldest.snapshot.close()
        taken = taken.slice(1)
      }
      taken.push({ snapshot: store.snapshot(), map: new Map(map) })
    }
    expect(read).toBeGreaterThan(30_000)
    expect(store.stats().snapshots).toBe(40_000)
    for (const { snapshot } of taken) snapshot.close()
  })
})

describe('a snapshot that is forgotten', () => {
  async function ends(store: Text, snapshot: Snapshot<string, string>, act: () => void): Promise<void> {
    expect(snapshot.get('a')).toBe('1')
    for (let i = 0; i < 400 && store.stats().snapshotsLive! > 0; i++) {
      act()
      await pause(5)
    }
    refused(() => snapshot.get('a'), 'HEDDLE_SNAPSHOT_EXPIRED')
    refused(() => store.attachSnapshot(snapshot.handle), 'HEDDLE_SNAPSHOT_EXPIRED')
    snapshot.close()
    await settle(store)
    expect(store.stats().snapshotWords).toBe(0)
    store.close()
  }

  it('is ended when it is too old', async () => {
    const store = openStore<string, string>({ cleaner: true, snapshotMaxMs: 100, tuning: tiny })
    store.set('a', '1')
    await ends(store, store.snapshot(), () => store.set('a', '2'))
  })

  it('is ended when it keeps too much', async () => {
    const store = openStore<string, string>({ cleaner: true, snapshotMaxBytes: 20_000, tuning: tiny })
    store.set('a', '1')
    for (let i = 0; i < 400; i++) store.set(`k${i}`, 'x'.repeat(100))
    await ends(store, store.snapshot(), () => {
      for (let i = 0; i < 400; i++) store.set(`k${i}`, 'y'.repeat(100))
    })
  })

  it('is none of the limits: others are refused', () => {
    for (const options of [{ snapshotMaxMs: 0 }, { snapshotMaxMs: 1.5 }, { snapshotMaxBytes: -1 }])
      refused(() => openStore(options), 'HEDDLE_INVALID_OPTION')
    for (const tuning of [{ clockBits: 4 }, { clockBits: 29 }, { maxSnapshots: 0 }])
      refused(() => openStore({ tuning }), 'HEDDLE_INVALID_OPTION')
  })
})

describe('memory', () => {
  it('that a long snapshot kept is free again after it', () => {
    const store = openStore<string, string>({ memory: 4 * MIB, tuning: tiny })
    for (let i = 0; i < 500; i++) store.set(`k${i}`, 'x'.repeat(100))
    const snapshot = store.snapshot()
    for (let round = 0; round < 60; round++) for (let i = 0; i < 500; i++) store.set(`k${i}`, `${round}`.repeat(50))
    // A key has one version for the snapshot, and one for now.
    expect(store.verify().kept).toBe(500)
    expect(snapshot.get('k7')).toBe('x'.repeat(100))
    snapshot.close()
    store.drain()
    expect(store.verify().kept).toBe(0)
    expect(store.stats().snapshotWords).toBe(0)
    assertWhole(store)
    store.close()
  })

  it('is taken from the oldest snapshot rather than refused', () => {
    const store = openStore<string, string>({ memory: MIB, tuning: tiny })
    for (let i = 0; i < 2500; i++) store.set(`k${i}`, 'x'.repeat(100))
    const snapshot = store.snapshot()
    for (let round = 0; round < 5; round++) for (let i = 0; i < 2500; i++) store.set(`k${i}`, `${round}`.repeat(100))
    refused(() => snapshot.get('k7'), 'HEDDLE_SNAPSHOT_EXPIRED')
    refused(() => [...snapshot], 'HEDDLE_SNAPSHOT_EXPIRED')
    refused(() => snapshot.size, 'HEDDLE_SNAPSHOT_EXPIRED')
    expect(store.stats().snapshotsExpired).toBe(1)
    snapshot.close()
    assertWhole(store)
    store.close()
  })
})
